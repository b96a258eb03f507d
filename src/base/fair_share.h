// What one holder of a bounded store may hold when the store is full, so that others cannot keep it out: an equal part
// among those that hold any, and a small one of what is left of as much again. However many come one after the other,
// twice the limit is never exceeded. Thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>

namespace monitor {

// `used`: with what is asked for. `holders`: with the one that asks.
inline size_t fair_share(size_t limit, size_t used, size_t holders) {
  constexpr size_t kPartOfRest = 8;
  const size_t rest = 2 * limit - std::min(2 * limit, used);
  return std::min(limit / std::max<size_t>(1, holders), rest / kPartOfRest);
}

}  // namespace monitor

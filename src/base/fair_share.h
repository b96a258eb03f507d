// Fair share of a bounded store: what one holder may hold when the store is full, so that others cannot exclude it. The
// smaller of an equal part of the limit, and an eighth of what is left up to twice the limit. Usage therefore never
// exceeds twice the limit. Thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>

namespace monitor {

// `used` includes the requested amount, `holders` the requester.
inline size_t fair_share(size_t limit, size_t used, size_t holders) {
  constexpr size_t kPartOfRest = 8;
  const size_t rest = 2 * limit - std::min(2 * limit, used);
  return std::min(limit / std::max<size_t>(1, holders), rest / kPartOfRest);
}

}  // namespace monitor

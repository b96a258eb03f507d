// Fair share: how much of a bounded store one holder may use, so that a few large holders cannot shut out the others.
// It is the smaller of an equal part of the limit, and an eighth of the space left below twice the limit. Total usage
// therefore never exceeds twice the limit. Pure, thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>

namespace monitor {

// `used` includes the amount that is requested now, `holders` includes the requester.
inline size_t fair_share(size_t limit, size_t used, size_t holders) {
  constexpr size_t kPartOfRest = 8;
  const size_t rest = 2 * limit - std::min(2 * limit, used);
  return std::min(limit / std::max<size_t>(1, holders), rest / kPartOfRest);
}

}  // namespace monitor

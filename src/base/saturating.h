// Saturating sums of foreign numbers: they stop at the largest value instead of wrapping around to a plausible one.
#pragma once

#include <cstdint>

namespace monitor {

constexpr uint64_t saturating_add(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }
constexpr void add_saturating(uint64_t& total, uint64_t value) { total = saturating_add(total, value); }
// Number of values in [first, last]; UINT64_MAX for all 2^64.
constexpr uint64_t range_size(uint64_t first, uint64_t last) {
  return last < first ? 0 : saturating_add(last - first, 1);
}

}  // namespace monitor

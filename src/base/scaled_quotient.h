// One exact division: agents compute values with it, and readers compute the same values again. Pure.
#pragma once

#include <algorithm>
#include <cstdint>

namespace monitor {

// part * scale / whole, rounded once to the nearest integer, halves up; at most INT64_MAX, and 0 if whole is 0. The
// scale is at most 2^62. Floating point would round both the quotient and the product: 3 / 20,000 * 10,000 gives
// 1.4999999999999998, which rounds to 1 instead of 2.
inline int64_t scaled_quotient(uint64_t part, uint64_t scale, uint64_t whole) {
  if (whole == 0) return 0;
  const auto numerator = static_cast<unsigned __int128>(part) * scale;
  const auto quotient = (numerator * 2 + whole) / (static_cast<unsigned __int128>(whole) * 2);
  return static_cast<int64_t>(std::min<unsigned __int128>(quotient, INT64_MAX));
}

}  // namespace monitor

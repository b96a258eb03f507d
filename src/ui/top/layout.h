// The widths of `top`'s columns, and the totals of a fleet. Pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "views/fleet/fleet.h"

namespace monitor::analysis::top {

// Widths of the table's columns, in characters.
struct Columns {
  bool wide = false;  // with host and tick, and a row of totals
  size_t agent = 0;
  size_t host = 0;
  size_t spark = 0;  // of each sparkline
};
// Uses the whole width, from 80 columns on: first for longer sparklines, up to the length of the stored past, then for
// names.
Columns columns_for(size_t width);

// Averages of CPU and memory, sums of the other figures. Empty where no agent has a value.
struct Totals {
  Figures figures;
  std::array<std::vector<float>, kFigures> past;  // Past::kSteps steps, the newest last; NaN: no agent has a value
};
Totals totals_of(std::span<const LiveAgent* const> agents);

}  // namespace monitor::analysis::top

// Where the columns of `top` stand, and what a fleet comes to. No state, no terminal: tests read it.
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
  size_t spark = 0;  // of each small line
};
// All of the screen's width, from 80 columns on: small lines as long as there is a past, then longer names.
Columns columns_for(size_t width);

// Means of CPU and memory, sums of the others. Empty where no agent has a value.
struct Totals {
  Figures figures;
  std::array<std::vector<float>, kFigures> past;  // Past::kSteps steps, the newest last; NaN: nobody has a value
};
Totals totals_of(std::span<const LiveAgent* const> agents);

}  // namespace monitor::analysis::top

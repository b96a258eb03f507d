// The totals of a fleet. Pure functions.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "views/fleet/fleet.h"

namespace monitor::analysis::top {

// Averages of CPU and memory, sums of the other figures. Empty where no agent has a value.
struct Totals {
  Figures figures;
  std::array<std::vector<float>, kFigures> past;  // Past::kSteps steps, the newest last; NaN: no agent has a value
};
Totals totals_of(std::span<const LiveAgent* const> agents);

}  // namespace monitor::analysis::top

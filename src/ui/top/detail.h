// The view of one agent in `top`: its state, the history of its main figures, and all of its latest values. Pure
// functions.
#pragma once

#include <cstddef>
#include <vector>

#include "ui/top/cells.h"
#include "views/fleet/fleet.h"

namespace monitor::analysis::top {

std::vector<Line> summary_lines(const LiveAgent& agent, const Verdict& verdict, size_t width, bool utf8);

// The latest value of every series, by name, in as many columns as fit.
std::vector<Line> value_lines(const LiveAgent& agent, size_t width);

}  // namespace monitor::analysis::top

// A chart of several lines: the area below a curve, in braille, or in ASCII. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "ui/top/cells.h"

namespace monitor::analysis::top {

struct ChartOptions {
  Size size;
  float top = 0;  // of the scale; 0: the largest value
  // The chart shows the last `steps` values over its whole width. 0: all values.
  size_t steps = 0;
  bool heats = false;  // lines in the heat of their height; else kAccent
  bool utf8 = true;
};

// Exactly size.rows lines of size.columns. NaN is a gap.
std::vector<Line> area_chart(const std::vector<float>& values, const ChartOptions& options);

// The largest finite value; 0 if there is none.
float largest(const std::vector<float>& values);

}  // namespace monitor::analysis::top

// Draws a curve with braille characters (U+2800 and following), two by four dots a character.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/series.h"

namespace monitor::analysis {

inline constexpr size_t kPlotLines = 8;
inline constexpr size_t kLeastPlotWidth = 10;

struct PlotTimes {
  int64_t from_ms = 0;
  int64_t to_ms = 0;
  int64_t step_ms = 0;  // the distance of two points; 0: unknown
};

// kPlotLines lines of `width` characters (at least kLeastPlotWidth), the highest value on top. Lines connect the
// points. A gap stays where a point is missing (`step_ms`) or is not a finite number.
std::vector<std::string> plot(const std::vector<query::Point>& points, const PlotTimes& times, size_t width);

}  // namespace monitor::analysis

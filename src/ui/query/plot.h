// Draws a curve with braille characters (U+2800 and following), two by four dots a character.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/series.h"

namespace monitor::analysis {

inline constexpr size_t kPlotMargin = 12;  // columns left of the curve, for the values of its top and bottom
inline constexpr size_t kPlotLines = 8;

// kPlotLines lines of at most `columns` - kPlotMargin characters, the highest value on top. Values that are no numbers
// leave a gap.
std::vector<std::string> plot(const std::vector<query::Point>& points, int64_t from_ms, int64_t to_ms, size_t columns);

}  // namespace monitor::analysis

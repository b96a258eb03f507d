// Parts of a line of the screen: texts of a fixed width, numbers and sparklines. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::analysis::top {

enum class Paint { kPlain, kDim, kBold, kReverse, kGood, kWarn, kBad };
struct Span {
  std::string text;  // UTF-8
  Paint paint = Paint::kPlain;
};
using Line = std::vector<Span>;

struct Size {
  size_t columns = 80;
  size_t rows = 24;
};

// Exactly `columns` wide, padded or truncated. Each UTF-8 character counts as one column.
std::string left(std::string_view text, size_t columns);
std::string right(std::string_view text, size_t columns);
// Truncates the line: the terminal would continue it on the next one.
void clip(Line& line, size_t columns);

// "-" for no value.
std::string percent(std::optional<double> share);
std::string megabytes(std::optional<double> bytes);

// Empty only if both are empty; otherwise an empty operand counts as 0.
std::optional<double> sum(std::optional<double> a, std::optional<double> b);
// Adds step by step; NaN stands for no value.
std::vector<float> sum(std::vector<float> a, const std::vector<float>& b);

// Draws the last values as blocks, the newest at the right, scaled to `top` (0: to the largest). Uses ASCII unless
// `utf8`.
std::string sparkline(const std::vector<float>& values, size_t columns, float top, bool utf8);

}  // namespace monitor::analysis::top

// Parts of a line of the screen: texts of a fixed width, numbers, bars and sparklines. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "views/fleet/fleet.h"

namespace monitor::analysis::top {

enum class Paint : uint8_t {
  kPlain,
  kDim,
  kBold,
  kReverse,
  kGood,
  kWarn,
  kBad,
  kAccent,
  kHeat1,  // from low to high; kHeats in all
  kHeat2,
  kHeat3,
  kHeat4,
  kHeat5,
};
inline constexpr size_t kHeats = 5;

struct Span {
  std::string text;  // UTF-8
  Paint paint = Paint::kPlain;
  bool chosen = false;  // part of the selected row
};
using Line = std::vector<Span>;

struct Size {
  size_t columns = 80;
  size_t rows = 24;
};

size_t width_of(const Line& line);
// Truncates the line: the terminal would continue it on the next one.
void clip(Line& line, size_t columns);
// Pads or truncates it to exactly this width.
void fill(Line& line, size_t columns);
void append(Line& line, Line more);

// "-" for no value.
std::string percent(std::optional<double> share);
std::string megabytes(std::optional<double> bytes);
std::string age(int64_t ns);

// Empty only if both are empty; otherwise an empty operand counts as 0.
std::optional<double> sum(std::optional<double> a, std::optional<double> b);
// Adds step by step; NaN stands for no value.
std::vector<float> sum(std::vector<float> a, const std::vector<float>& b);

Paint paint_of(Health health);
// The heat of a share from 0 to 1; kPlain for no value.
Paint heat(std::optional<double> share);

// A bar that is filled up to the share, each part in the heat of its place.
Line bar(std::optional<double> share, size_t columns, bool utf8);

// Draws the last values as blocks, the newest at the right, scaled to `top` (0: to the largest). Uses ASCII unless
// `utf8`.
std::string sparkline(const std::vector<float>& values, size_t columns, float top, bool utf8);

}  // namespace monitor::analysis::top

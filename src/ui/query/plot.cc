#include "ui/query/plot.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace monitor::analysis {
namespace {

constexpr size_t kDotsAcross = 2;
constexpr size_t kDotsDown = 4;
// The bit of each dot in a braille character, by column and row
// (https://www.unicode.org/charts/PDF/U2800.pdf).
constexpr std::array<std::array<unsigned, kDotsDown>, kDotsAcross> kDots = {
    {{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}};

std::string braille(unsigned dots) {
  // U+2800 + dots in UTF-8: three bytes.
  return {static_cast<char>(0xe2), static_cast<char>(0xa0 | (dots >> 6)), static_cast<char>(0x80 | (dots & 0x3f))};
}

class Canvas {
 public:
  explicit Canvas(size_t width) : width_(width), cells_(width * kPlotLines, 0) {}

  size_t dots_across() const { return width_ * kDotsAcross; }
  static constexpr size_t dots_down() { return kPlotLines * kDotsDown; }

  // From the left and from the top.
  void set(size_t x, size_t y) {
    cells_[y / kDotsDown * width_ + x / kDotsAcross] |= kDots[x % kDotsAcross][y % kDotsDown];
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> all(kPlotLines);
    for (size_t i = 0; i < cells_.size(); ++i) all[i / width_] += braille(cells_[i]);
    return all;
  }

 private:
  size_t width_;
  std::vector<unsigned> cells_;
};

}  // namespace

std::vector<std::string> plot(const std::vector<query::Point>& points, int64_t from_ms, int64_t to_ms, size_t columns) {
  Canvas canvas(std::max<size_t>(columns, kPlotMargin + 10) - kPlotMargin);
  double least = INFINITY;
  double most = -INFINITY;
  for (const query::Point& point : points) {
    if (!std::isfinite(point.value)) continue;
    least = std::min(least, point.value);
    most = std::max(most, point.value);
  }
  const double across =
      static_cast<double>(canvas.dots_across() - 1) / std::max<double>(1, static_cast<double>(to_ms - from_ms));
  const double height = most - least;
  for (const query::Point& point : points) {
    if (!std::isfinite(point.value) || point.time_ms < from_ms || point.time_ms > to_ms) continue;
    const auto x = static_cast<size_t>(static_cast<double>(point.time_ms - from_ms) * across);
    // A constant is drawn in the middle. Halves first: the difference of two doubles may overflow.
    const double part = height > 0 ? (point.value / 2 - least / 2) / (most / 2 - least / 2) : 0.5;
    const auto up = static_cast<size_t>(std::lround(part * static_cast<double>(Canvas::dots_down() - 1)));
    canvas.set(x, Canvas::dots_down() - 1 - std::min(up, Canvas::dots_down() - 1));
  }
  return canvas.lines();
}

}  // namespace monitor::analysis

#include "ui/query/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <optional>

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

// From the left and from the top.
struct Dot {
  int64_t x = 0;
  int64_t y = 0;
};

class Canvas {
 public:
  explicit Canvas(size_t width) : width_(width), cells_(width * kPlotLines, 0) {}

  size_t dots_across() const { return width_ * kDotsAcross; }
  static constexpr size_t dots_down() { return kPlotLines * kDotsDown; }

  // Sets the dots from one to another, both included.
  void line(const Dot& from, const Dot& to) {
    const int64_t steps = std::max<int64_t>({std::abs(to.x - from.x), std::abs(to.y - from.y), 1});
    for (int64_t i = 0; i <= steps; ++i) {
      set(static_cast<size_t>(from.x + (to.x - from.x) * i / steps),
          static_cast<size_t>(from.y + (to.y - from.y) * i / steps));
    }
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> all(kPlotLines);
    for (size_t i = 0; i < cells_.size(); ++i) all[i / width_] += braille(cells_[i]);
    return all;
  }

 private:
  void set(size_t x, size_t y) {
    cells_[y / kDotsDown * width_ + x / kDotsAcross] |= kDots[x % kDotsAcross][y % kDotsDown];
  }

  size_t width_;
  std::vector<unsigned> cells_;
};

// Where points are on a canvas: the smallest value is at its bottom, and the largest at its top.
class Scale {
 public:
  Scale(const std::vector<query::Point>& points, const PlotTimes& times, size_t dots_across) : from_ms_(times.from_ms) {
    for (const query::Point& point : points) {
      if (!std::isfinite(point.value)) continue;
      least_ = std::min(least_, point.value);
      most_ = std::max(most_, point.value);
    }
    across_ =
        static_cast<double>(dots_across - 1) / std::max<double>(1, static_cast<double>(times.to_ms - times.from_ms));
  }

  Dot dot_of(const query::Point& point) const {
    // A constant is drawn in the middle. Halves first: the difference of two doubles may overflow.
    const double part = most_ - least_ > 0 ? (point.value / 2 - least_ / 2) / (most_ / 2 - least_ / 2) : 0.5;
    constexpr auto kTop = static_cast<int64_t>(Canvas::dots_down() - 1);
    return {static_cast<int64_t>(static_cast<double>(point.time_ms - from_ms_) * across_),
            kTop - std::clamp<int64_t>(std::lround(part * static_cast<double>(kTop)), 0, kTop)};
  }

 private:
  int64_t from_ms_;
  double least_ = INFINITY;
  double most_ = -INFINITY;
  double across_ = 0;
};

}  // namespace

std::vector<std::string> plot(const std::vector<query::Point>& points, const PlotTimes& times, size_t width) {
  Canvas canvas(std::max(width, kLeastPlotWidth));
  const Scale scale(points, times, canvas.dots_across());
  std::optional<Dot> last;
  int64_t last_ms = 0;
  for (const query::Point& point : points) {
    if (point.time_ms < times.from_ms || point.time_ms > times.to_ms) continue;
    if (!std::isfinite(point.value)) {
      last.reset();
      continue;
    }
    const Dot dot = scale.dot_of(point);
    const bool connected = last && (times.step_ms == 0 || point.time_ms - last_ms <= times.step_ms);
    canvas.line(connected ? *last : dot, dot);
    last = dot;
    last_ms = point.time_ms;
  }
  return canvas.lines();
}

}  // namespace monitor::analysis

#include "ui/query/plot.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "ui/terminal/braille.h"

namespace monitor::analysis {
namespace {

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
    constexpr auto kTop = static_cast<int64_t>(kPlotLines * BrailleCanvas::kDotsDown) - 1;
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
  BrailleCanvas canvas(std::max(width, kLeastPlotWidth), kPlotLines);
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

#include "query/range_functions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "query/kahan.h"
#include "query/quantile.h"

namespace monitor::query::range {
namespace {

double seconds(int64_t ms) { return static_cast<double>(ms) / 1000; }

// A window is covered up to its end if the nearest sample is at most this many sample distances away.
constexpr double kCovered = 1.1;

// What a counter rose by from the first to the last sample, with what it lost in resets.
double rise(std::span<const Point> points) {
  double total = points.back().value - points.front().value;
  for (size_t i = 1; i < points.size(); ++i) {
    if (points[i].value < points[i - 1].value) total += points[i - 1].value;
  }
  return total;
}

std::optional<double> extrapolate(const Window& window, bool counter) {
  const auto& points = window.points;
  if (points.size() < 2) return std::nullopt;
  const double change = counter ? rise(points) : points.back().value - points.front().value;
  const double sampled = seconds(points.back().time_ms - points.front().time_ms);
  const double distance = sampled / static_cast<double>(points.size() - 1);
  double before = seconds(points.front().time_ms - window.begin_ms);
  if (before >= distance * kCovered) before = distance / 2;
  // A counter begins at 0: it cannot have risen for longer than it took to get here from there.
  if (counter && change > 0 && points.front().value >= 0) {
    before = std::min(before, sampled * (points.front().value / change));
  }
  double after = seconds(window.end_ms - points.back().time_ms);
  if (after >= distance * kCovered) after = distance / 2;
  return change * ((sampled + before + after) / sampled);
}

std::optional<double> instant(const Window& window, bool rate) {
  if (window.points.size() < 2) return std::nullopt;
  const Point& last = window.points.back();
  const Point& before = window.points[window.points.size() - 2];
  // A counter that is smaller than before was reset to 0 in between.
  const double change = rate && last.value < before.value ? last.value : last.value - before.value;
  return rate ? change / seconds(last.time_ms - before.time_ms) : change;
}

struct Line {
  double slope = 0;
  double intercept = 0;  // at the time asked for
};

Line fit(std::span<const Point> points, int64_t at_ms) {
  const double first = points.front().value;
  if (std::ranges::all_of(points, [first](const Point& p) { return p.value == first; })) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    return std::isinf(first) ? Line{nan, nan} : Line{0, first};
  }
  KahanSum sum_x;
  KahanSum sum_y;
  KahanSum sum_xy;
  KahanSum sum_xx;
  for (const Point& point : points) {
    const double x = seconds(point.time_ms - at_ms);
    sum_x.add(x);
    sum_y.add(point.value);
    sum_xy.add(x * point.value);
    sum_xx.add(x * x);
  }
  const auto n = static_cast<double>(points.size());
  const double covariance = sum_xy.value() - sum_x.value() * sum_y.value() / n;
  const double variance = sum_xx.value() - sum_x.value() * sum_x.value() / n;
  const double slope = covariance / variance;
  return {slope, sum_y.value() / n - slope * sum_x.value() / n};
}

// Of the points, the one that no other is better than; a NaN is worse than any other.
template <typename Better>
const Point& best(std::span<const Point> points, Better better) {
  const Point* found = &points.front();
  for (const Point& point : points) {
    if (better(point.value, found->value) || std::isnan(found->value)) found = &point;
  }
  return *found;
}

bool less(double a, double b) { return a < b; }
bool greater(double a, double b) { return a > b; }
bool less_or_equal(double a, double b) { return a <= b; }
bool greater_or_equal(double a, double b) { return a >= b; }

std::vector<double> values(const Window& window) {
  std::vector<double> all;
  all.reserve(window.points.size());
  for (const Point& point : window.points) all.push_back(point.value);
  return all;
}

}  // namespace

std::optional<double> increase(const Window& window) { return extrapolate(window, true); }
std::optional<double> delta(const Window& window) { return extrapolate(window, false); }
std::optional<double> rate(const Window& window) {
  const auto risen = extrapolate(window, true);
  if (!risen) return std::nullopt;
  return *risen / seconds(window.end_ms - window.begin_ms);
}
std::optional<double> irate(const Window& window) { return instant(window, true); }
std::optional<double> idelta(const Window& window) { return instant(window, false); }

std::optional<double> deriv(const Window& window) {
  if (window.points.size() < 2) return std::nullopt;
  // Around the first sample, because large times cost digits.
  return fit(window.points, window.points.front().time_ms).slope;
}

std::optional<double> predict_linear(const Window& window) {
  if (window.points.size() < 2) return std::nullopt;
  const Line line = fit(window.points, window.evaluation_ms);
  return line.slope * window.parameters[0] + line.intercept;
}

std::optional<double> changes(const Window& window) {
  double count = 0;
  for (size_t i = 1; i < window.points.size(); ++i) {
    const double now = window.points[i].value;
    const double before = window.points[i - 1].value;
    if (now != before && !(std::isnan(now) && std::isnan(before))) ++count;
  }
  return count;
}

std::optional<double> resets(const Window& window) {
  double count = 0;
  for (size_t i = 1; i < window.points.size(); ++i) {
    if (window.points[i].value < window.points[i - 1].value) ++count;
  }
  return count;
}

std::optional<double> avg(const Window& window) {
  Mean mean;
  for (const Point& point : window.points) mean.add(point.value);
  return mean.value();
}

std::optional<double> sum(const Window& window) {
  KahanSum sum;
  for (const Point& point : window.points) sum.add(point.value);
  return sum.value();
}

std::optional<double> min(const Window& window) { return best(window.points, less).value; }
std::optional<double> max(const Window& window) { return best(window.points, greater).value; }
std::optional<double> count(const Window& window) { return static_cast<double>(window.points.size()); }

std::optional<double> stdvar(const Window& window) {
  Variance variance;
  for (const Point& point : window.points) variance.add(point.value);
  return variance.value();
}
std::optional<double> stddev(const Window& window) { return std::sqrt(*stdvar(window)); }

std::optional<double> quantile_of(const Window& window) { return quantile(window.parameters[0], values(window)); }

std::optional<double> median_deviation(const Window& window) {
  std::vector<double> all = values(window);
  if (std::ranges::any_of(all, [](double value) { return std::isnan(value); })) return std::nan("");
  const double median = quantile(0.5, all);
  for (double& value : all) value = std::abs(value - median);
  return quantile(0.5, std::move(all));
}

std::optional<double> first(const Window& window) { return window.points.front().value; }
std::optional<double> last(const Window& window) { return window.points.back().value; }
std::optional<double> present(const Window& /*window*/) { return 1; }
std::optional<double> time_of_first(const Window& window) { return seconds(window.points.front().time_ms); }
std::optional<double> time_of_last(const Window& window) { return seconds(window.points.back().time_ms); }
// Of equal values the last one counts.
std::optional<double> time_of_min(const Window& window) { return seconds(best(window.points, less_or_equal).time_ms); }
std::optional<double> time_of_max(const Window& window) {
  return seconds(best(window.points, greater_or_equal).time_ms);
}

std::optional<double> smoothed(const Window& window) {
  if (window.points.size() < 2) return std::nullopt;
  const double smoothing = window.parameters[0];
  const double trending = window.parameters[1];
  double before = 0;
  double level = window.points[0].value;
  double trend = window.points[1].value - window.points[0].value;
  for (size_t i = 1; i < window.points.size(); ++i) {
    if (i > 1) trend = trending * (level - before) + (1 - trending) * trend;
    const double next = smoothing * window.points[i].value + (1 - smoothing) * (level + trend);
    before = level;
    level = next;
  }
  return level;
}

std::string check_smoothing(std::span<const double> parameters) {
  static constexpr std::array kNames = {"smoothing", "trend"};
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (parameters[i] > 0 && parameters[i] < 1) continue;
    return std::string("invalid ") + kNames.at(i) + " factor: got " + std::to_string(parameters[i]) +
           ", expected more than 0 and less than 1";
  }
  return {};
}

}  // namespace monitor::query::range

#include "query/math_functions.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>

namespace monitor::query::math {
namespace {

// Years beyond this do not fit std::chrono's calendar.
constexpr double kMostSeconds = 1e12;

struct Moment {
  std::chrono::sys_days day;
  std::chrono::year_month_day date;
  std::chrono::seconds of_day;
};

std::optional<Moment> moment(double seconds) {
  if (!(std::abs(seconds) < kMostSeconds)) return std::nullopt;
  // As Prometheus: half a second before 1970 is still in 1970.
  const std::chrono::sys_seconds time(std::chrono::seconds(static_cast<int64_t>(seconds)));
  const auto day = std::chrono::floor<std::chrono::days>(time);
  return Moment{day, std::chrono::year_month_day(day), time - day};
}

// As Go's math.Max and math.Min: infinity is more than what is no number.
double greater(double a, double b) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (a == kInfinity || b == kInfinity) return kInfinity;
  return std::isnan(a) || std::isnan(b) ? std::nan("") : std::max(a, b);
}
double lesser(double a, double b) { return -greater(-a, -b); }

template <typename Part>
std::optional<double> part_of(double seconds, Part part) {
  const auto at = moment(seconds);
  if (!at) return std::nan("");
  return static_cast<double>(part(*at));
}

}  // namespace

std::optional<double> clamp(double value, Parameters limits) {
  const double low = limits[0];
  const double high = limits[1];
  if (low > high) return std::nullopt;
  return greater(low, lesser(high, value));
}
std::optional<double> clamp_min(double value, Parameters limits) { return greater(value, limits[0]); }
std::optional<double> clamp_max(double value, Parameters limits) { return lesser(value, limits[0]); }

std::optional<double> round(double value, Parameters nearest) {
  // Dividing by the inverse keeps round(x, 0.1) free of 0.30000000000000004.
  const double inverse = 1 / (nearest.empty() ? 1 : nearest[0]);
  return std::floor(value * inverse + 0.5) / inverse;
}

std::optional<double> sign(double value, Parameters /*none*/) { return value < 0 ? -1 : value > 0 ? 1 : value; }
std::optional<double> degrees(double value, Parameters /*none*/) { return value * 180 / std::numbers::pi; }
std::optional<double> radians(double value, Parameters /*none*/) { return value * std::numbers::pi / 180; }

std::optional<double> minute(double seconds, Parameters /*none*/) {
  return part_of(seconds, [](const Moment& at) { return at.of_day.count() / 60 % 60; });
}
std::optional<double> hour(double seconds, Parameters /*none*/) {
  return part_of(seconds, [](const Moment& at) { return at.of_day.count() / 3600; });
}
std::optional<double> day_of_week(double seconds, Parameters /*none*/) {
  return part_of(seconds, [](const Moment& at) { return std::chrono::weekday(at.day).c_encoding(); });
}
std::optional<double> day_of_month(double seconds, Parameters /*none*/) {
  return part_of(seconds, [](const Moment& at) { return static_cast<unsigned>(at.date.day()); });
}
std::optional<double> day_of_year(double seconds, Parameters /*none*/) {
  return part_of(seconds, [](const Moment& at) {
    return (at.day - std::chrono::sys_days(at.date.year() / std::chrono::January / 1)).count() + 1;
  });
}
std::optional<double> days_in_month(double seconds, Parameters /*none*/) {
  return part_of(seconds, [](const Moment& at) {
    return static_cast<unsigned>((at.date.year() / at.date.month() / std::chrono::last).day());
  });
}
std::optional<double> month(double seconds, Parameters /*none*/) {
  return part_of(seconds, [](const Moment& at) { return static_cast<unsigned>(at.date.month()); });
}
std::optional<double> year(double seconds, Parameters /*none*/) {
  return part_of(seconds, [](const Moment& at) { return static_cast<int>(at.date.year()); });
}

}  // namespace monitor::query::math

// What the functions on single values compute: arithmetic, trigonometry and the calendar (in UTC).
#pragma once

#include <optional>
#include <span>

namespace monitor::query::math {

using Parameters = std::span<const double>;

std::optional<double> clamp(double value, Parameters limits);
std::optional<double> clamp_min(double value, Parameters limits);
std::optional<double> clamp_max(double value, Parameters limits);
// Rounds to the nearest multiple of the parameter, 1 by default; a half is rounded up.
std::optional<double> round(double value, Parameters nearest);
std::optional<double> sign(double value, Parameters none);
std::optional<double> degrees(double value, Parameters none);
std::optional<double> radians(double value, Parameters none);

// These take a time in seconds since 1970.
std::optional<double> minute(double seconds, Parameters none);
std::optional<double> hour(double seconds, Parameters none);
std::optional<double> day_of_week(double seconds, Parameters none);
std::optional<double> day_of_month(double seconds, Parameters none);
std::optional<double> day_of_year(double seconds, Parameters none);
std::optional<double> days_in_month(double seconds, Parameters none);
std::optional<double> month(double seconds, Parameters none);
std::optional<double> year(double seconds, Parameters none);

}  // namespace monitor::query::math

// The score of a value: how far it is outside what is known of its series. Pure functions.
//
// docs/unusual.md defines the score in full, and says how well it finds known faults.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>

namespace monitor::unusual {

inline constexpr int64_t kHourMinutes = 60;
// The windows whose extremes count, in hours: a day, 3 days and a week.
inline constexpr std::array<int64_t, 3> kWindowHours = {24, 72, 168};
inline constexpr int64_t kLongestHours = kWindowHours.back();
// The windows end at least this long before the minute that is judged, so that what is unusual stays it for an hour.
inline constexpr int64_t kGuardHours = 1;
// A series has scores from so many hours with data on, within the longest window.
inline constexpr int64_t kLeastHours = 24;
// A counter's rate is computed between minutes with data that are at most this far apart.
inline constexpr int64_t kMostGapMinutes = 60;
// From this score on, a series counts as unusual. Steady growth stays below: within two hours, the guard and the hour
// in progress, it adds at most 2/26 to what it added in a day.
inline constexpr double kUnusualFrom = 0.08;
// The least range that a series is compared with, as a share of its largest magnitude: a constant series may move by a
// little without being unusual.
inline constexpr double kLeastRange = 0.01;

// The smallest and the largest value of a time. Empty until a value is added.
struct Extremes {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  bool empty() const { return low > high; }
  void add(const Extremes& other) {
    if (other.low < low) low = other.low;
    if (other.high > high) high = other.high;
  }
  bool operator==(const Extremes&) const = default;
};

// How far the values of a time are outside of a window's extremes: d / (d + r), where d is the distance from the nearer
// extreme and r the range between both. So it is 0 inside, 0.5 if the range doubles, and below 1 otherwise; 1 if the
// window knows only zeros. Neither may be empty.
double score(const Extremes& values, const Extremes& known);

// The least score of the windows, of which at least one must not be empty.
double score(const Extremes& values, std::span<const Extremes> windows);

}  // namespace monitor::unusual

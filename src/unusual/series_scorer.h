// SeriesScorer: scores the minutes of one series, as they come. May be copied, to look ahead from a settled state. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "unusual/baseline.h"
#include "unusual/score.h"

namespace monitor::unusual {

enum class SeriesKind : uint8_t { kGauge, kCounter };

// The hour of a minute, both numbered from 1970.
constexpr int64_t hour_of(int64_t minute) { return minute / kHourMinutes - (minute % kHourMinutes < 0 ? 1 : 0); }

// The windows of a minute's score end before this hour.
constexpr int64_t baseline_end(int64_t minute) { return hour_of(minute) - kGuardHours; }

// How far back the minutes reach that decide a score.
inline constexpr int64_t kReachMinutes = (kLongestHours + kGuardHours + 1) * kHourMinutes + kMostGapMinutes;

// Minutes from this one on decide the score of `minute`. A counter's first rate needs a value before the week.
constexpr int64_t first_needed(int64_t minute) {
  return (baseline_end(minute) - kLongestHours) * kHourMinutes - kMostGapMinutes;
}

class SeriesScorer {
 public:
  explicit SeriesScorer(SeriesKind kind) : kind_(kind) {}

  // Adds a minute with values: of a gauge, its smallest and largest one; of a counter, whose rate counts, only the
  // largest. Minutes must ascend; one that does not is ignored.
  void add(int64_t minute, const Extremes& values);

  // The score of the minute that was added last. Nothing: too little is known of the series, or the minute has no rate:
  // the counter was reset, or its last value is too old.
  std::optional<double> score() const;

  size_t bytes() const { return sizeof *this + baseline_.bytes() + recent_.capacity() * sizeof(Hour); }

 private:
  struct Hour {
    int64_t number = 0;
    Extremes extremes;
  };
  std::optional<Extremes> rate(int64_t minute, const Extremes& values);

  SeriesKind kind_;
  Baseline baseline_;
  std::vector<Hour> recent_;  // that are not yet in the baseline; at most two
  int64_t minute_ = INT64_MIN;
  double last_ = 0;  // of a counter
  std::optional<Extremes> current_;
  int64_t end_ = INT64_MIN;                   // of the windows
  std::optional<Baseline::Windows> windows_;  // they change once an hour
};

}  // namespace monitor::unusual

#include "unusual/series_scorer.h"

#include <cmath>

namespace monitor::unusual {

std::optional<Extremes> SeriesScorer::rate(int64_t minute, const Extremes& values) {
  const double before = last_;
  last_ = values.high;
  const bool reset = values.low < before;
  if (minute_ == INT64_MIN || minute - minute_ > kMostGapMinutes || reset) return std::nullopt;
  const double rate = (values.high - before) / (60 * static_cast<double>(minute - minute_));
  if (std::isnan(rate)) return std::nullopt;
  return Extremes{rate, rate};
}

void SeriesScorer::add(int64_t minute, const Extremes& values) {
  if (values.empty() || (minute_ != INT64_MIN && minute <= minute_)) return;
  current_ = kind_ == SeriesKind::kCounter ? rate(minute, values) : values;
  minute_ = minute;
  const int64_t end = baseline_end(minute);
  if (end != end_) {
    end_ = end;
    std::erase_if(recent_, [&](const Hour& hour) {
      if (hour.number >= end) return false;
      baseline_.add(hour.number, hour.extremes);
      return true;
    });
    windows_ = baseline_.windows(end);
  }
  if (!current_) return;
  const int64_t hour = hour_of(minute);
  if (recent_.empty() || recent_.back().number != hour) recent_.push_back({hour, {}});
  recent_.back().extremes.add(*current_);
}

std::optional<double> SeriesScorer::score() const {
  if (!current_ || !windows_) return std::nullopt;
  return unusual::score(*current_, *windows_);
}

}  // namespace monitor::unusual

// The score as docs/unusual.md defines it, computed slowly from all minutes: what tests compare with.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "unusual/series_scorer.h"

namespace monitor::unusual::testing {

struct Minute {
  int64_t number = 0;
  Extremes values;
};

// What a minute is compared by: a gauge's values, or a counter's rate.
inline std::vector<std::optional<Extremes>> judged(SeriesKind kind, const std::vector<Minute>& minutes) {
  std::vector<std::optional<Extremes>> all;
  for (size_t i = 0; i < minutes.size(); ++i) {
    const Extremes& values = minutes[i].values;
    if (kind == SeriesKind::kGauge) {
      all.emplace_back(values);
      continue;
    }
    if (i == 0 || minutes[i].number - minutes[i - 1].number > 60 || values.low < minutes[i - 1].values.high) {
      all.emplace_back(std::nullopt);
      continue;
    }
    const double seconds = 60 * static_cast<double>(minutes[i].number - minutes[i - 1].number);
    const double rate = (values.high - minutes[i - 1].values.high) / seconds;
    all.emplace_back(Extremes{rate, rate});
  }
  return all;
}

inline int64_t floor_hour(int64_t minute) { return static_cast<int64_t>(std::floor(static_cast<double>(minute) / 60)); }

// The definition in docs/unusual.md, word by word.
inline std::optional<double> slow_score(const std::vector<Minute>& minutes,
                                        const std::vector<std::optional<Extremes>>& values, size_t at) {
  if (!values[at]) return std::nullopt;
  const int64_t end = floor_hour(minutes[at].number) - 1;
  std::map<int64_t, Extremes> hours;
  for (size_t i = 0; i < at; ++i) {
    const int64_t hour = floor_hour(minutes[i].number);
    if (values[i] && hour < end && hour >= end - 168) hours[hour].add(*values[i]);
  }
  if (hours.size() < 24) return std::nullopt;
  double least = 1;
  for (const int64_t width : {24, 72, 168}) {
    Extremes known;
    for (const auto& [hour, extremes] : hours) {
      if (hour >= end - width) known.add(extremes);
    }
    if (known.empty()) continue;
    const double above = values[at]->high - known.high;
    const double below = known.low - values[at]->low;
    const double distance = std::max({above, below, 0.0});
    const double floor = 0.01 * std::max(std::abs(known.low), std::abs(known.high));
    const double range = std::max(known.high - known.low, floor);
    least = std::min(least, distance == 0 ? 0 : distance / (distance + range));
  }
  return least;
}

}  // namespace monitor::unusual::testing

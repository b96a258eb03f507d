#include "rules/memory_scores.h"

#include <cmath>
#include <utility>

namespace monitor::rules {

namespace {

using unusual::Extremes;
using unusual::SeriesKind;

int64_t minute_of(int64_t ms) { return ms / kMinuteMs - (ms % kMinuteMs < 0 ? 1 : 0); }

// Minutes whose end is after `to_ms` are not over.
std::vector<query::Point> scores_of_one(const query::StoredSeries& series, int64_t from_ms, int64_t to_ms) {
  const bool counter = series.labels.name().ends_with("_total");
  unusual::SeriesScorer scorer(counter ? SeriesKind::kCounter : SeriesKind::kGauge);
  std::vector<query::Point> scores;
  for (size_t i = 0; i < series.points.size();) {
    const int64_t minute = minute_of(series.points[i].time_ms);
    const int64_t end_ms = (minute + 1) * kMinuteMs;
    if (end_ms > to_ms) break;
    Extremes values;
    for (; i < series.points.size() && minute_of(series.points[i].time_ms) == minute; ++i) {
      const double value = series.points[i].value;
      if (!std::isnan(value)) values.add({value, value});
    }
    scorer.add(minute, values);
    if (values.empty() || end_ms < from_ms) continue;
    if (const auto score = scorer.score()) scores.push_back({end_ms, *score});
  }
  return scores;
}

}  // namespace

std::vector<query::StoredSeries> scores_of(std::vector<query::StoredSeries> series, int64_t from_ms, int64_t to_ms) {
  std::vector<query::StoredSeries> found;
  for (query::StoredSeries& one : series) {
    auto scores = scores_of_one(one, from_ms, to_ms);
    if (!scores.empty()) found.push_back({std::move(one.labels), std::move(scores)});
  }
  return found;
}

}  // namespace monitor::rules

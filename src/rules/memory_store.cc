#include "rules/memory_store.h"

#include <algorithm>

#include "rules/memory_scores.h"

namespace monitor::rules {

namespace {

bool matches(std::span<const query::Matcher> matchers, const query::Labels& labels) {
  return std::ranges::all_of(matchers, [&](const query::Matcher& one) { return one.matches(labels.get(one.label())); });
}

}  // namespace

Result<std::vector<query::StoredSeries>> MemoryStore::select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                             int64_t to_ms) {
  std::vector<query::StoredSeries> found;
  for (const auto& [name, of_name] : series_) {
    const bool possible = std::ranges::all_of(matchers, [&metric = name](const query::Matcher& one) {
      return one.label() != query::kNameLabel || one.matches(metric);
    });
    if (!possible) continue;
    for (const auto& [labels, points] : of_name) {
      if (!matches(matchers, labels)) continue;
      const auto from = std::ranges::lower_bound(points, from_ms, {}, &query::Point::time_ms);
      const auto to = std::ranges::upper_bound(points, to_ms, {}, &query::Point::time_ms);
      if (from < to) found.push_back({labels, {from, to}});
    }
  }
  return found;
}

Result<std::vector<query::StoredSeries>> MemoryStore::own_series(std::string_view function,
                                                                 std::span<const query::Matcher> matchers,
                                                                 int64_t from_ms, int64_t to_ms) {
  if (function == "unusual") {
    auto series = select(matchers, from_ms - unusual::kReachMinutes * kMinuteMs, to_ms);
    return series ? scores_of(std::move(*series), from_ms, to_ms) : std::move(series);
  }
  auto named =
      query::Matcher::create(query::Matcher::Kind::kEqual, std::string(query::kNameLabel), std::string(function));
  if (!named) return named.error();
  std::vector<query::Matcher> all(matchers.begin(), matchers.end());
  all.push_back(std::move(*named));
  auto found = select(all, from_ms, to_ms);
  if (!found) return found;
  for (query::StoredSeries& one : *found) one.labels = one.labels.without_name();
  return found;
}

Status MemoryStore::append(const query::Labels& labels, const query::Point& point) {
  Series& points = series_[std::string(labels.name())][labels];
  const auto at = std::ranges::lower_bound(points, point.time_ms, {}, &query::Point::time_ms);
  if (at != points.end() && at->time_ms == point.time_ms) {
    at->value = point.value;
  } else {
    points.insert(at, point);
  }
  return {};
}

}  // namespace monitor::rules

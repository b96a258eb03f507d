#include "rules/memory_store.h"

#include <algorithm>

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
    const bool possible = std::ranges::all_of(matchers, [&name = name](const query::Matcher& one) {
      return one.label() != query::kNameLabel || one.matches(name);
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

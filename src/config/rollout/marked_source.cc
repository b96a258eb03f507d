#include "config/rollout/marked_source.h"

#include <algorithm>

namespace monitor::config::rollout {

namespace {

constexpr std::string_view kLabel = "rollout";
constexpr std::string_view kAgent = "agent";

// The conditions on the label that the source does not know, and the others.
struct Conditions {
  std::vector<query::Matcher> own;
  std::vector<query::Matcher> others;
};

Conditions parts_of(std::span<const query::Matcher> matchers) {
  Conditions parts;
  for (const query::Matcher& one : matchers) (one.label() == kLabel ? parts.own : parts.others).push_back(one);
  return parts;
}

}  // namespace

std::vector<query::StoredSeries> MarkedSource::marked(std::vector<query::StoredSeries> found,
                                                      std::span<const query::Matcher> conditions, int64_t to_ms) {
  std::vector<query::StoredSeries> kept;
  for (query::StoredSeries& series : found) {
    const std::string agent(series.labels.get(kAgent));
    if (!agent.empty()) {
      const auto member = changed_.find(agent);
      if (member == changed_.end()) continue;
      series.labels.set(kLabel, member->second ? "changed" : "unchanged");
      if (!series.points.empty()) {
        int64_t& newest = newest_ms_[agent];
        newest = std::max(newest, series.points.back().time_ms);
      }
    }
    const bool wanted = std::all_of(conditions.begin(), conditions.end(),
                                    [&](const query::Matcher& one) { return one.matches(series.labels.get(kLabel)); });
    if (!wanted) continue;
    const auto after = std::find_if(series.points.begin(), series.points.end(),
                                    [&](const query::Point& point) { return point.time_ms > to_ms; });
    series.points.erase(after, series.points.end());
    if (!series.points.empty()) kept.push_back(std::move(series));
  }
  return kept;
}

Result<std::vector<query::StoredSeries>> MarkedSource::select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                              int64_t to_ms) {
  const Conditions parts = parts_of(matchers);
  auto found = source_.select(parts.others, from_ms, std::max(to_ms, now_ms_));
  if (!found) return found.error();
  return marked(std::move(*found), parts.own, to_ms);
}

Result<std::vector<query::StoredSeries>> MarkedSource::own_series(std::string_view function,
                                                                  std::span<const query::Matcher> matchers,
                                                                  int64_t from_ms, int64_t to_ms) {
  const Conditions parts = parts_of(matchers);
  auto found = source_.own_series(function, parts.others, from_ms, std::max(to_ms, now_ms_));
  if (!found) return found.error();
  return marked(std::move(*found), parts.own, to_ms);
}

}  // namespace monitor::config::rollout

#include "views/history/series_source.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "metrics/prometheus_names.h"

namespace monitor::analysis::history {

namespace {

// More points than any range holds, so that the finest resolution is chosen that reaches back far enough.
constexpr size_t kFinest = size_t{1} << 40;

using Matchers = std::span<const query::Matcher>;

bool matches(Matchers matchers, const query::Labels& labels) {
  return std::ranges::all_of(matchers, [&](const query::Matcher& m) { return m.matches(labels.get(m.label())); });
}

query::Labels own_labels(const metrics::Series& series, const KnownAgent& agent) {
  query::Labels labels;
  for (const auto& [name, value] : series.labels) labels.set(name, value);
  labels.set(query::kNameLabel, series.name);
  labels.set("agent", agent.name);
  labels.set("host", agent.host);
  return labels;
}

query::Labels prometheus_labels(const metrics::Series& series, const KnownAgent& agent) {
  query::Labels labels;
  for (const auto& [name, value] : series.labels) labels.set(metrics::prometheus_label(name), value);
  labels.set(query::kNameLabel, metrics::prometheus_name(series));
  labels.set("agent", agent.name);
  labels.set("host", agent.host);
  return labels;
}

// The labels under which the selector finds the series; nothing if it does not.
std::optional<query::Labels> selected_labels(Matchers matchers, const metrics::Series& series,
                                             const KnownAgent& agent) {
  query::Labels own = own_labels(series, agent);
  if (matches(matchers, own)) return own;
  const bool names_metric =
      std::ranges::any_of(matchers, [](const query::Matcher& m) { return m.label() == query::kNameLabel; });
  if (!names_metric) return std::nullopt;
  query::Labels mapped = prometheus_labels(series, agent);
  return matches(matchers, mapped) ? std::optional(std::move(mapped)) : std::nullopt;
}

int64_t to_ns(int64_t ms) {
  constexpr int64_t kMost = INT64_MAX / 1'000'000;
  return std::clamp(ms, -kMost, kMost) * 1'000'000;
}

std::vector<query::Point> points_of(const RangeSeries& range, Resolution resolution, int64_t from_ms, int64_t to_ms) {
  std::vector<query::Point> points;
  points.reserve(range.times_ns.size());
  for (size_t i = 0; i < range.times_ns.size(); ++i) {
    const int64_t ms = (range.times_ns[i] + width_ns(resolution)) / 1'000'000;
    if (ms < from_ms || ms > to_ms) continue;
    // Ticks within one millisecond: the last one counts.
    if (!points.empty() && points.back().time_ms == ms) points.pop_back();
    points.push_back({ms, range.values[i]});
  }
  return points;
}

}  // namespace

Result<std::vector<query::StoredSeries>> HistorySource::select(Matchers matchers, int64_t from_ms, int64_t to_ms) {
  std::vector<query::StoredSeries> found;
  const Status read = reader_.together([&]() -> Status {
    const auto agents = reader_.agents();
    if (!agents) return agents.error();
    for (const KnownAgent& agent : *agents) {
      const bool possible = std::ranges::all_of(matchers, [&agent](const query::Matcher& m) {
        return (m.label() != "agent" || m.matches(agent.name)) && (m.label() != "host" || m.matches(agent.host));
      });
      if (!possible) continue;
      if (auto status = select_agent(agent, matchers, from_ms, to_ms, found); !status) return status;
    }
    return {};
  });
  if (!read) return read.error();
  return found;
}

Status HistorySource::select_agent(const KnownAgent& agent, Matchers matchers, int64_t from_ms, int64_t to_ms,
                                   std::vector<query::StoredSeries>& found) {
  RangeRequest request{.agents = {agent.name}, .metric = ""};
  request.selects = [&](const metrics::Series& series) { return selected_labels(matchers, series, agent).has_value(); };
  request.from_ns = to_ns(from_ms);
  request.to_ns = to_ns(to_ms) + 1'000'000;
  request.points = kFinest;
  const auto range = reader_.range(request);
  if (!range) return range.error();
  for (const RangeSeries& series : range->series) {
    auto points = points_of(series, range->resolution, from_ms, to_ms);
    if (points.empty()) continue;
    auto labels = selected_labels(matchers, series.series, agent);
    if (labels) found.push_back({std::move(*labels), std::move(points)});
  }
  return {};
}

}  // namespace monitor::analysis::history

#include "views/history/series_source.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "views/history/series_labels.h"

namespace monitor::analysis::history {

namespace {

// More points than any range holds, so that the finest resolution is chosen that reaches back far enough.
constexpr size_t kFinest = size_t{1} << 40;
// Series that are compared with a selector between two looks at the limits: each may have to match several regular
// expressions.
constexpr size_t kCheckEvery = 64;

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
  size_t points = 0;
  size_t bytes = 0;
  const Status read = reader_.together([&]() -> Status {
    const auto agents = reader_.agents();
    if (!agents) return agents.error();
    for (const KnownAgent& agent : *agents) {
      if (!may_match(matchers, agent)) continue;
      // One agent's series are read in a fraction of a second.
      if (limits_.check) {
        if (auto status = limits_.check(); !status) return status;
      }
      const size_t before = found.size();
      if (auto status = select_agent(agent, matchers, from_ms, to_ms, found); !status) return status;
      for (size_t i = before; i < found.size(); ++i) {
        points += found[i].points.size();
        bytes += found[i].bytes();
      }
      if (points > limits_.max_points) {
        return Error(Code::kResourceExhausted, "a selector finds more than " + std::to_string(limits_.max_points) +
                                                   " samples (" + std::to_string(points) +
                                                   " so far): select fewer series or a shorter time");
      }
      if (bytes > max_bytes_) {
        return Error(Code::kResourceExhausted, "a selector finds samples that need " + std::to_string(bytes) +
                                                   " bytes of memory or more; the query has " +
                                                   std::to_string(max_bytes_) +
                                                   " left: select fewer series or a shorter time");
      }
    }
    return {};
  });
  if (!read) return read.error();
  return found;
}

Result<std::vector<query::StoredSeries>> HistorySource::own_series(std::string_view function, Matchers matchers,
                                                                   int64_t from_ms, int64_t to_ms) {
  if (facts_ == nullptr) return SeriesSource::own_series(function, matchers, from_ms, to_ms);
  return facts_->series(function, matchers, from_ms, to_ms);
}

Status HistorySource::select_agent(const KnownAgent& agent, Matchers matchers, int64_t from_ms, int64_t to_ms,
                                   std::vector<query::StoredSeries>& found) {
  RangeRequest request{.agents = {agent.name}, .metric = ""};
  size_t compared = 0;
  Status may;
  request.selects = [&](const metrics::Series& series) {
    if (++compared % kCheckEvery == 0 && limits_.check && may) may = limits_.check();
    return may && selected_labels(matchers, series, agent).has_value();
  };
  request.from_ns = to_ns(from_ms);
  request.to_ns = to_ns(to_ms) + 1'000'000;
  request.points = kFinest;
  const auto range = reader_.range(request);
  if (!may) return may;
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

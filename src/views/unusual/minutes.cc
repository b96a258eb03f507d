#include "views/unusual/minutes.h"

#include <algorithm>

namespace monitor::analysis::unusual {

namespace {

constexpr int64_t kMostMinutesAtOnce = int64_t{24} * 60;
constexpr int64_t kLeastMinutesAtOnce = 60;
constexpr size_t kCellsAtOnce = 500'000;

}  // namespace

Status read_minutes(history::HistoryReader& reader, const MinutesRequest& request,
                    const std::function<void(const history::RangeSeries& part)>& visit) {
  return reader.together([&]() -> Status {
    const auto known = reader.series(request.agent);
    if (!known) return known.error();
    const auto wanted = std::ranges::count_if(
        *known, [&](const metrics::Series& series) { return !request.selects || request.selects(series); });
    if (wanted == 0) return {};
    const int64_t at_once =
        std::clamp(static_cast<int64_t>(kCellsAtOnce) / wanted, kLeastMinutesAtOnce, kMostMinutesAtOnce);
    for (int64_t from = request.from; from < request.to; from += at_once) {
      if (request.check) {
        if (Status may = request.check(); !may) return may;
      }
      history::RangeRequest part{.agents = {request.agent}, .metric = "", .selects = request.selects};
      part.from_ns = from * kMinuteNs;
      part.to_ns = std::min(from + at_once, request.to) * kMinuteNs;
      part.resolution = Resolution::kMinute;
      const auto range = reader.range(part);
      if (!range) return range.error();
      for (const history::RangeSeries& one : range->series) visit(one);
    }
    return {};
  });
}

SeriesScorer scorer_of(const metrics::Series& series) {
  using monitor::unusual::SeriesKind;
  return SeriesScorer(series.kind == metrics::Kind::kCounter ? SeriesKind::kCounter : SeriesKind::kGauge);
}

}  // namespace monitor::analysis::unusual

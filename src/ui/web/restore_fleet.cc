#include "ui/web/restore_fleet.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/log.h"
#include "views/history/query.h"

namespace monitor::analysis::web {

namespace {

constexpr int64_t kPatience = kNanosPerSecond;
constexpr int64_t kPast = static_cast<int64_t>(Past::kSteps) * Past::kStep;
constexpr int64_t kBucket = 10 * kNanosPerSecond;

Status restore_one(history::HistoryReader& reader, const std::string& name, int64_t now_ns, Fleet& fleet) {
  history::RangeRequest request{.agents = {name}, .metric = "system.*", .from_ns = now_ns - kPast, .to_ns = now_ns};
  request.resolution = Resolution::kTenSeconds;
  const auto range = reader.range(request);
  if (!range) return range.error();
  std::map<int64_t, Figures> past;
  for (const history::RangeSeries& one : range->series) {
    const auto figure = figure_of(one.series);
    if (!figure) continue;
    for (size_t i = 0; i < one.times_ns.size(); ++i) {
      // The middle of a bucket is taken as its time.
      std::optional<double>& place = past[std::min(one.times_ns[i] + kBucket / 2, now_ns)][*figure];
      if (!place) place = one.values[i];
    }
  }
  for (const auto& [time_ns, figures] : past) fleet.remember(name, time_ns, figures, kBucket);
  return {};
}

}  // namespace

void restore_fleet(const std::vector<history::KnownAgent>& known, const std::string& path, const Clock& clock,
                   Fleet& fleet) {
  for (const history::KnownAgent& one : known) fleet.add_known(one.name, one.host, one.version, one.seen_ns);
  auto reader = history::HistoryReader::open(path);
  Status status = reader ? Status() : reader.error();
  const int64_t now_ns = clock.wall_ns();
  const int64_t end = clock.mono_ns() + kPatience;
  const auto restore_all = [&]() -> Status {
    for (const history::KnownAgent& one : known) {
      if (clock.mono_ns() >= end) break;
      if (one.seen_ns < now_ns - kPast) continue;
      if (auto restored = restore_one(**reader, one.name, now_ns, fleet); !restored) return restored;
    }
    return {};
  };
  if (status) status = (*reader)->together(restore_all);
  if (!status) log_warning("cannot restore recent figures of the fleet from the history", {{"reason", status.error()}});
}

}  // namespace monitor::analysis::web

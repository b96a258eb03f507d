#include "views/ledger/run_ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/saturating.h"
#include "base/text.h"
#include "base/time_format.h"

namespace monitor::analysis {

namespace {

const Account* find_account(const Ledger& ledger, const std::string& agent, const std::string& incarnation) {
  for (const auto& [number, partition] : ledger.partitions()) {
    const auto runs = partition.agents().find(agent);
    if (runs == partition.agents().end()) continue;
    const auto run = runs->second.find(incarnation);
    if (run != runs->second.end()) return &run->second;
  }
  return nullptr;
}

int64_t missing_since(const Account& account, uint64_t sequence) {
  const auto next = account.gaps.upper_bound(sequence);
  return next == account.gaps.begin() ? 0 : std::prev(next)->second.since_ns;
}

void add_plain(const Account& account, std::string_view kind, const Ranges& ranges, std::vector<RunRange>& out) {
  for (const auto& [first, last] : ranges) {
    RunRange& range = out.emplace_back(RunRange{.kind = kind, .first = first, .last = last});
    range.batches = range_size(first, last);
    range.points = account.point_sums.of_gap(first, last);
    if (kind == "missing") range.since_ns = missing_since(account, first);
  }
}

void add_drops(const Account& account, std::vector<RunRange>& out) {
  for (const auto& [first, drop] : account.dropped.ranges()) {
    uint64_t gone = 0;
    for (const auto& [from, to] : account.stored.gaps(first, drop.last_sequence)) {
      add_saturating(gone, range_size(from, to));
    }
    if (gone == 0) continue;
    const uint64_t batches = std::min(drop.batches, gone);
    out.push_back({.kind = "dropped",
                   .first = first,
                   .last = drop.last_sequence,
                   .batches = batches,
                   .points = drop.points == 0 && drop.reason == metrics::reason::kDamaged
                                 ? std::nullopt
                                 : std::optional(share(drop.points, batches, drop.batches)),
                   .stage = drop.stage,
                   .reason = drop.reason,
                   .first_time_ns = drop.first_time_ns,
                   .last_time_ns = drop.last_time_ns});
  }
}

std::vector<RunRange> ranges_of(const Account& account, const LedgerRow& row) {
  std::vector<RunRange> ranges;
  for (const auto& [first, last] : account.stored.intervals()) {
    ranges.push_back({.kind = "stored", .first = first, .last = last, .batches = range_size(first, last)});
  }
  add_drops(account, ranges);
  for (const auto& [kind, of] :
       {std::pair{"waiting", &row.waiting}, std::pair{"missing", &row.missing}, std::pair{"elsewhere", &row.elsewhere},
        std::pair{"expired", &row.expired}, std::pair{"unread", &row.unread}}) {
    add_plain(account, kind, *of, ranges);
  }
  std::ranges::stable_sort(ranges, {}, &RunRange::first);
  return ranges;
}

std::string json_time(int64_t ns) { return ns == 0 ? "null" : json_quote(format_rfc3339(ns)); }

std::string json_of(const RunRange& range) {
  return fmt::format(
      R"({{"kind":"{}","first":{},"last":{},"batches":{},"points":{},"stage":{},"reason":{},"first_time":{},)"
      R"("last_time":{},"since":{}}})",
      range.kind, range.first, range.last, range.batches, range.points ? std::to_string(*range.points) : "null",
      json_quote(range.stage), json_quote(range.reason), json_time(range.first_time_ns), json_time(range.last_time_ns),
      json_time(range.since_ns));
}

std::string json_of(const RecentLosses::Kind& kind, const RecentLosses::Loss& loss) {
  return fmt::format(R"({{"stage":{},"reason":{},"plugin":{},"ticks":{},"points":{},"first_time":{},"last_time":{}}})",
                     json_quote(kind.stage), json_quote(kind.reason), json_quote(kind.plugin), loss.ticks, loss.points,
                     json_time(loss.first_time_ns), json_time(loss.last_time_ns));
}

}  // namespace

std::optional<RunDetail> detail_of(const Ledger& ledger, const std::string& agent, const std::string& incarnation,
                                   const ReportOptions& options) {
  const Account* const account = find_account(ledger, agent, incarnation);
  if (account == nullptr) return std::nullopt;
  RunDetail detail;
  ReportOptions own = options;
  own.agent = agent;
  own.literal = true;
  auto rows = report(ledger, own);
  const auto row = std::ranges::find(rows, incarnation, &LedgerRow::incarnation);
  if (row == rows.end()) return std::nullopt;
  detail.row = std::move(*row);
  detail.ranges = ranges_of(*account, detail.row);
  if (detail.ranges.size() > RunDetail::kMostRanges) {
    detail.older = detail.ranges.size() - RunDetail::kMostRanges;
    detail.ranges.erase(detail.ranges.begin(), detail.ranges.begin() + static_cast<std::ptrdiff_t>(detail.older));
  }
  detail.losses = account->losses.kinds();
  return detail;
}

std::string to_json(const RunDetail& detail) {
  std::string ranges;
  for (const RunRange& range : detail.ranges) ranges += (ranges.empty() ? "" : ",") + json_of(range);
  std::string losses;
  for (const RecentLosses::Kind& kind : detail.losses) {
    for (const RecentLosses::Loss& loss : kind.losses) losses += (losses.empty() ? "" : ",") + json_of(kind, loss);
  }
  return fmt::format(R"({{"run":{},"ranges":[{}],"older":{},"losses":[{}]}})", to_json(detail.row), ranges,
                     detail.older, losses);
}

}  // namespace monitor::analysis

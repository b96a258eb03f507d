#include <fmt/format.h>

#include "base/hex.h"
#include "base/text.h"
#include "base/time_format.h"
#include "views/ledger/report.h"

namespace monitor::analysis {

namespace {

std::string json_ranges(const Ranges& ranges) {
  std::string out = "[";
  for (const auto& [first, last] : ranges) out += fmt::format("{}[{},{}]", out.size() > 1 ? "," : "", first, last);
  return out + "]";
}

std::string json_time(int64_t ns) { return ns == 0 ? "null" : json_quote(format_rfc3339(ns)); }

std::string json_conflicts(const std::vector<Conflict>& conflicts, int32_t partition) {
  std::string out = "[";
  for (const Conflict& one : conflicts) {
    const std::string first = one.first_offset < 0 ? "null" : fmt::format("{}", one.first_offset);
    out += fmt::format(
        R"({}{{"sequence":{},"kind":"{}","partition":{},"first_offset":{},"offset":{},"time":{},"why":{}}})",
        out.size() > 1 ? "," : "", one.sequence, conflict_kind(one), partition, first, one.offset,
        json_time(one.time_ns), json_quote(one.why));
  }
  return out + "]";
}

std::string json_sums(const LedgerSums& sums) {
  std::string out = "{";
  for (const auto& [name, amount] : {std::pair{"made", &sums.made}, std::pair{"stored", &sums.stored},
                                     std::pair{"dropped", &sums.dropped}, std::pair{"waiting", &sums.waiting},
                                     std::pair{"missing", &sums.missing}, std::pair{"elsewhere", &sums.elsewhere},
                                     std::pair{"expired", &sums.expired}, std::pair{"unread", &sums.unread}}) {
    out += fmt::format(R"("{}":{{"batches":{},"points":{}}},)", name, amount->batches, amount->points);
  }
  return out + fmt::format(R"("estimated":{}}})", sums.estimated);
}

}  // namespace

std::string to_json(const LedgerRow& row) {
  std::string dropped;
  for (const metrics::Drop& total : row.dropped) {
    const std::string plugin = total.plugin.empty() ? "" : R"("plugin":)" + json_quote(total.plugin) + ",";
    dropped += fmt::format(
        R"({}{{"stage":{},"reason":{},{}"batches":{},"points":{},"ticks":{},"first_time":{},"last_time":{}{}}})",
        dropped.empty() ? "" : ",", json_quote(total.stage), json_quote(total.reason), plugin, total.batches,
        total.points, total.ticks, json_time(total.first_time_ns), json_time(total.last_time_ns),
        is_placed(total) ? "" : R"(,"unplaced":true)");
  }
  std::string other_logs;
  for (const std::string& log : row.other_logs) other_logs += (other_logs.empty() ? "" : ",") + json_quote(log);
  const bool stopped = row.end == LedgerRow::End::kStopped;
  const bool unclean = row.end == LedgerRow::End::kUnclean;
  std::string out = fmt::format(
      R"({{"agent":{},"incarnation":"{}","host":{},"first_sequence":{},"last_sequence":{},"batches_stored":{},)"
      R"("duplicates":{},"dropped":[{}],"missing":{},"elsewhere":{},"other_logs":[{}],"expired":{},"ticks_due":{},"ticks_missed":{},"points_made":{},)"
      R"("points_stored":{},"clean":{},)",
      json_quote(row.agent), hex(row.incarnation), json_quote(row.host), row.first_sequence, row.last_sequence,
      row.batches_stored, row.duplicates, dropped, json_ranges(row.missing), json_ranges(row.elsewhere), other_logs,
      json_ranges(row.expired), row.ticks_due, row.ticks_missed, row.points_made, row.points_stored,
      stopped   ? "true"
      : unclean ? "false"
                : "null");
  return out +
         fmt::format(
             R"("end":"{}","unknown_tail":{},"waiting":{},"ticks_stored":{},"late":{},"conflict":{},)"
             R"("conflicts":{},"conflict_examples":{},"outlived_end":{},"first_time":{},"last_time":{},"unread":{},"sums":{}}})",
             to_string(row.end), has_unknown_tail(row), json_ranges(row.waiting), row.ticks_stored, row.late_ticks,
             row.conflict, row.conflicts, json_conflicts(row.conflict_examples, row.partition), row.outlived_end,
             json_time(row.first_time_ns), json_time(row.last_time_ns), json_ranges(row.unread), json_sums(row.sums));
}

}  // namespace monitor::analysis

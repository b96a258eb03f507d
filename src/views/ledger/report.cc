#include "views/ledger/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "base/hex.h"
#include "base/saturating.h"
#include "base/text.h"
#include "base/time_format.h"

namespace monitor::analysis {

namespace {

// The time of three heartbeats.
constexpr int64_t kSilentAfter = 30 * kNanosPerSecond;

// The sequences about which the log may say nothing: below `unread_below` they may be in a part that was not read,
// below `expired_below` in a part that retention deleted.
struct Bounds {
  uint64_t unread_below = 0;
  uint64_t expired_below = 0;
};

// How far the unknown part of the log may reach into the incarnation's sequences.
Bounds bounds_of(const Account& account) {
  return {account.awaited == Hole::kUnread ? UINT64_MAX : account.unread_below,
          account.awaited == Hole::kExpired ? UINT64_MAX : account.expired_below};
}

// Splits [first, last]: adds parts that retention deleted to `expired`, and the rest to `rest`; omits unread parts.
void judge(uint64_t first, uint64_t last, const Bounds& bounds, Ranges& expired, Ranges& rest) {
  if (first < bounds.expired_below) {
    const uint64_t end = std::min(last, bounds.expired_below - 1);
    expired.emplace_back(first, end);
    if (end == last) return;
    first = end + 1;
  }
  if (last < bounds.unread_below) return;
  rest.emplace_back(std::max(first, bounds.unread_below), last);
}

// Joins adjacent ranges; they must be in ascending order.
void join_ranges(Ranges& ranges) {
  Ranges joined;
  for (const auto& [first, last] : ranges) {
    if (!joined.empty() && joined.back().second != UINT64_MAX && joined.back().second + 1 == first) {
      joined.back().second = last;
    } else {
      joined.emplace_back(first, last);
    }
  }
  ranges = std::move(joined);
}

// The sequences that other logs have.
IntervalSet in_other_logs(const Account& account, const ReportOptions& options) {
  IntervalSet all;
  if (options.log.empty()) return all;
  for (const auto& [log, sequences] : account.elsewhere) {
    if (log == options.log) continue;
    all.add(sequences);
  }
  return all;
}

// Of sequences in [first, last] that are neither stored nor dropped, adds those in other logs to `elsewhere` and
// returns the rest.
Ranges take_elsewhere(const Account& account, const IntervalSet& others, uint64_t first, uint64_t last,
                      Ranges& elsewhere) {
  Ranges rest;
  for (const auto& [begin, end] : account.unseen(first, last)) {
    const IntervalSet known = others.within(begin, end);
    elsewhere.insert(elsewhere.end(), known.intervals().begin(), known.intervals().end());
    const Ranges unknown = others.gaps(begin, end);
    rest.insert(rest.end(), unknown.begin(), unknown.end());
  }
  return rest;
}

void name_other_logs(const Account& account, const ReportOptions& options, LedgerRow& row) {
  for (const auto& [log, sequences] : account.elsewhere) {
    const bool any = std::ranges::any_of(
        row.elsewhere, [&](const auto& range) { return sequences.intersects(range.first, range.second); });
    if (any && log != options.log) row.other_logs.push_back(log);
  }
}

void take_gaps(const Account& account, const ReportOptions& options, LedgerRow& row) {
  const Bounds bounds = bounds_of(account);
  const IntervalSet others = in_other_logs(account, options);
  for (const auto& [begin, gap] : account.gaps) {
    const bool old =
        options.missing_after_ns == 0 || elapsed_ns(gap.since_ns, options.now_ns) >= options.missing_after_ns;
    for (const auto& [first, last] : take_elsewhere(account, others, begin, gap.last, row.elsewhere)) {
      judge(first, last, gap.certain ? Bounds{} : bounds, row.expired, old ? row.missing : row.waiting);
    }
  }
  const uint64_t stored = account.stored.intervals().empty() ? 0 : account.stored.intervals().rbegin()->second;
  const uint64_t known = std::max(stored, account.end ? account.end->last_sequence : 0);
  for (const auto& [first, last] : take_elsewhere(account, others, account.claimed, known, row.elsewhere)) {
    judge(first, last, bounds, row.expired, row.waiting);
  }
  for (Ranges* ranges : {&row.missing, &row.elsewhere, &row.expired, &row.waiting}) join_ranges(*ranges);
  name_other_logs(account, options, row);
}

// Drops of batches are known by their sequences; all other drops only by the totals. The totals of a run include its
// drops of other runs' batches, which count with those runs.
void take_drops(const Account& account, LedgerRow& row) {
  std::map<std::tuple<std::string, std::string, std::string>, metrics::Drop> all;
  for (const metrics::Drop& total : account.counters.dropped) {
    metrics::Drop& own = all[{total.stage, total.reason, total.plugin}];
    own = total;
    const auto foreign = account.foreign.find({total.stage, total.reason});
    if (foreign == account.foreign.end()) continue;
    own.batches -= std::min(own.batches, foreign->second.batches);
    own.points -= std::min(own.points, foreign->second.points);
  }
  const auto ranges = account.dropped.totals(account.stored);
  for (const auto& [first, range] : account.dropped.ranges()) {
    metrics::Drop& own = all[{range.stage, range.reason, ""}];
    own.stage = range.stage;
    own.reason = range.reason;
    const auto known = ranges.find({range.stage, range.reason});
    // A stored batch is not dropped, so the totals may be too high for these batches.
    own.batches = known == ranges.end() ? 0 : known->second.batches;
    own.points = known == ranges.end() ? 0 : known->second.points;
  }
  for (auto& [key, total] : all) {
    if (total.batches != 0 || total.points != 0) row.dropped.push_back(std::move(total));
  }
}

// A final batch proves an ordered end, even if the agent was killed before its spool had stored it.
LedgerRow::End end_of(const Account& account, int64_t now_ns) {
  if (account.final_sequence != 0) return LedgerRow::End::kStopped;
  if (account.end) return account.end->clean ? LedgerRow::End::kStopped : LedgerRow::End::kUnclean;
  const bool silent = elapsed_ns(account.last_log_ns, now_ns) > kSilentAfter;
  return silent ? LedgerRow::End::kUnknown : LedgerRow::End::kRunning;
}

LedgerRow row_of(const std::string& agent, const std::string& incarnation, const Account& account,
                 const ReportOptions& options) {
  LedgerRow row{.agent = agent, .incarnation = incarnation, .host = account.host};
  if (!account.stored.intervals().empty()) {
    row.first_sequence = account.stored.intervals().begin()->first;
    row.last_sequence = account.stored.intervals().rbegin()->second;
  }
  row.first_time_ns = account.first_time_ns;
  row.last_time_ns = account.last_time_ns;
  row.batches_stored = account.batches_stored;
  row.duplicates = account.duplicates;
  row.ticks_due = account.counters.ticks_due;
  row.ticks_missed = account.counters.ticks_missed;
  row.ticks_stored = account.ticks_stored;
  row.points_made = account.counters.points_made;
  row.points_stored = account.points_stored;
  row.late_ticks = account.late_ticks;
  row.end = end_of(account, options.now_ns);
  row.conflicts = account.conflicts;
  row.conflict_examples = account.conflict_examples;
  const uint64_t last = account.final_sequence != 0 ? account.final_sequence
                        : account.end               ? account.end->last_sequence
                                                    : 0;
  row.outlived_end = row.end == LedgerRow::End::kStopped && row.last_sequence > last;
  take_gaps(account, options, row);
  take_drops(account, row);
  return row;
}

// True if both created batches while the other one did, and neither has ended the other.
bool alive_together(const Account& a, const std::string& a_id, const Account& b, const std::string& b_id) {
  if (a.first_appended_ns == 0 || b.first_appended_ns == 0) return false;
  if (a.ended_by == b_id || b.ended_by == a_id) return false;
  return a.first_appended_ns < b.last_appended_ns && b.first_appended_ns < a.last_appended_ns;
}

bool in_conflict(const Accounts& accounts, const std::string& id, const Account& account) {
  return std::ranges::any_of(accounts, [&](const auto& other) {
    return other.first != id && alive_together(account, id, other.second, other.first);
  });
}

bool says_anything(const LedgerRow& row) {
  return row.batches_stored > 0 || !row.missing.empty() || !row.expired.empty() || !row.waiting.empty() ||
         !row.elsewhere.empty() || !row.dropped.empty() || row.conflicts > 0;
}

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

}  // namespace

const char* to_string(LedgerRow::End end) {
  constexpr std::array<const char*, 4> kNames = {"unknown", "running", "stopped", "unclean"};
  return kNames.at(static_cast<size_t>(end));
}

const char* conflict_kind(const Conflict& conflict) { return conflict.first_offset < 0 ? "implausible" : "content"; }

std::vector<LedgerRow> report(const Ledger& ledger, const ReportOptions& options) {
  std::vector<LedgerRow> rows;
  for (const auto& [number, partition] : ledger.partitions()) {
    for (const auto& [agent, accounts] : partition.agents()) {
      if (!options.agent.empty() && !glob_match(options.agent, agent)) continue;
      const auto forgotten = options.forgotten.find(agent);
      for (const auto& [incarnation, account] : accounts) {
        if (forgotten != options.forgotten.end() && account.last_log_ns <= forgotten->second) continue;
        LedgerRow row = row_of(agent, incarnation, account, options);
        row.conflict = in_conflict(accounts, incarnation, account);
        row.partition = number;
        if (says_anything(row)) rows.push_back(std::move(row));
      }
    }
  }
  std::ranges::sort(rows, [](const LedgerRow& a, const LedgerRow& b) {
    return std::tie(a.agent, a.first_time_ns, a.incarnation) < std::tie(b.agent, b.first_time_ns, b.incarnation);
  });
  return rows;
}

uint64_t count(const Ranges& ranges) {
  uint64_t sum = 0;
  for (const auto& [first, last] : ranges) add_saturating(sum, range_size(first, last));
  return sum;
}

uint64_t dropped_batches(const LedgerRow& row) {
  uint64_t sum = 0;
  for (const metrics::Drop& total : row.dropped) add_saturating(sum, total.batches);
  return sum;
}

std::string to_json(const LedgerRow& row) {
  std::string dropped;
  for (const metrics::Drop& total : row.dropped) {
    const std::string plugin = total.plugin.empty() ? "" : R"("plugin":)" + json_quote(total.plugin) + ",";
    dropped += fmt::format(R"({}{{"stage":{},"reason":{},{}"batches":{},"points":{}}})", dropped.empty() ? "" : ",",
                           json_quote(total.stage), json_quote(total.reason), plugin, total.batches, total.points);
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
         fmt::format(R"("end":"{}","unknown_tail":{},"waiting":{},"ticks_stored":{},"late":{},"conflict":{},)"
                     R"("conflicts":{},"conflict_examples":{},"outlived_end":{},"first_time":{},"last_time":{}}})",
                     to_string(row.end), has_unknown_tail(row), json_ranges(row.waiting), row.ticks_stored,
                     row.late_ticks, row.conflict, row.conflicts, json_conflicts(row.conflict_examples, row.partition),
                     row.outlived_end, json_time(row.first_time_ns), json_time(row.last_time_ns));
}

}  // namespace monitor::analysis

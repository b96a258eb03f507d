#include "views/ledger/report.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/saturating.h"
#include "base/text.h"

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

// Splits [first, last]: adds parts that retention deleted to `expired`, parts that were not read to `unread`, and the
// others to `rest`.
void judge(uint64_t first, uint64_t last, const Bounds& bounds, LedgerRow& row, Ranges& rest) {
  const auto split_off = [&](uint64_t below, Ranges& to) {
    if (first >= below) return false;
    const uint64_t end = std::min(last, below - 1);
    to.emplace_back(first, end);
    first = end == UINT64_MAX ? end : end + 1;
    return end == last;
  };
  if (split_off(bounds.expired_below, row.expired) || split_off(bounds.unread_below, row.unread)) return;
  rest.emplace_back(first, last);
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
        row.elsewhere, [&own = sequences](const auto& range) { return own.intersects(range.first, range.second); });
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
      judge(first, last, gap.certain ? Bounds{} : bounds, row, old ? row.missing : row.waiting);
    }
  }
  const uint64_t stored = account.stored.intervals().empty() ? 0 : account.stored.intervals().rbegin()->second;
  const uint64_t known = std::max(stored, account.end ? account.end->last_sequence : 0);
  for (const auto& [first, last] : take_elsewhere(account, others, account.claimed, known, row.elsewhere)) {
    judge(first, last, bounds, row, row.waiting);
  }
  for (Ranges* ranges : {&row.missing, &row.elsewhere, &row.expired, &row.unread, &row.waiting}) join_ranges(*ranges);
  name_other_logs(account, options, row);
}

void widen_time(metrics::Drop& drop, int64_t first_ns, int64_t last_ns) {
  if (first_ns == 0) return;
  drop.first_time_ns = drop.first_time_ns == 0 ? first_ns : std::min(drop.first_time_ns, first_ns);
  drop.last_time_ns = std::max(drop.last_time_ns, last_ns);
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
    own.first_sequence = own.first_sequence == 0 ? first : std::min(own.first_sequence, first);
    own.last_sequence = std::max(own.last_sequence, range.last_sequence);
    widen_time(own, range.first_time_ns, range.last_time_ns);
  }
  for (const RecentLosses::Kind& kind : account.losses.kinds()) {
    const auto total = all.find({kind.stage, kind.reason, kind.plugin});
    if (total == all.end() || kind.losses.empty()) continue;
    widen_time(total->second, kind.losses.front().first_time_ns, kind.losses.back().last_time_ns);
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
  row.sums = sums_of(account, row);
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
      if (options.literal ? agent != options.agent : !options.agent.empty() && !glob_match(options.agent, agent))
        continue;
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

}  // namespace monitor::analysis

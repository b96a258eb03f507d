#include "views/ledger/account.h"

#include <algorithm>

#include "base/saturating.h"
#include "consume/consumer.h"

namespace monitor::analysis {

namespace {

// The points that were dropped before they were in a batch.
uint64_t dropped_unbatched(const metrics::Counters& counters) {
  uint64_t sum = 0;
  for (const metrics::Drop& total : counters.dropped) {
    if (before_batches(total.stage)) add_saturating(sum, total.points);
  }
  return sum;
}

}  // namespace

void Account::store(const metriclog::Record& record, const metrics::Batch& batch) {
  if (!stored.add(batch.sequence)) {
    add_saturating(duplicates, 1);
    return;
  }
  add_saturating(batches_stored, 1);
  uint64_t points = 0;
  for (const metrics::Frame& frame : batch.frames) {
    points += frame.points.size();
    if (frame.continued) continue;  // part of a tick that is already counted
    add_saturating(ticks_stored, 1);
    if (is_late(batch, frame.time_ns, record.time_ns)) ++late_ticks;
  }
  add_saturating(points_stored, points);
  const uint64_t made = batch.counters.points_made;
  point_sums.add(batch.sequence, made - std::min(made, dropped_unbatched(batch.counters)), points);
  note_times(record, batch);
  if (batch.sequence >= counters_sequence) {
    counters_sequence = batch.sequence;
    counters = batch.counters;
    host = batch.hostname;
  }
  close_hole(record, batch);
}

void Account::note(Conflict conflict) {
  add_saturating(conflicts, 1);
  last_log_ns = std::max(last_log_ns, conflict.time_ns);
  if (conflict_examples.size() < kMostExamples) conflict_examples.push_back(std::move(conflict));
}

void Account::note_times(const metriclog::Record& record, const metrics::Batch& batch) {
  const int64_t first = batch.frames.empty() ? batch.appended_ns : batch.frames.front().time_ns;
  const int64_t last = batch.frames.empty() ? batch.appended_ns : batch.frames.back().time_ns;
  if (batches_stored == 1) {
    first_time_ns = first;
    last_time_ns = last;
    first_appended_ns = last_appended_ns = batch.appended_ns;
  }
  first_time_ns = std::min(first_time_ns, first);
  last_time_ns = std::max(last_time_ns, last);
  first_appended_ns = std::min(first_appended_ns, batch.appended_ns);
  last_appended_ns = std::max(last_appended_ns, batch.appended_ns);
  last_log_ns = std::max(last_log_ns, record.time_ns);
}

void Account::close_hole(const metriclog::Record& record, const metrics::Batch& batch) {
  if (awaited == Hole::kNone || (batch.appended_ns != 0 && has_waited(batch, record.time_ns))) return;
  uint64_t& below = awaited == Hole::kExpired ? expired_below : unread_below;
  below = std::max(below, batch.sequence);
  awaited = Hole::kNone;
}

Ranges Account::unseen(uint64_t first, uint64_t last) const {
  Ranges result;
  for (const auto& [begin, end_of] : stored.gaps(first, last)) {
    const Ranges parts = dropped.sequences().gaps(begin, end_of);
    result.insert(result.end(), parts.begin(), parts.end());
  }
  return result;
}

void Account::claim(uint64_t first_unacked, int64_t log_time_ns) {
  if (first_unacked <= claimed) return;
  for (const auto& [first, last] : unseen(claimed, first_unacked - 1)) gaps[first] = {last, log_time_ns, false};
  claimed = first_unacked;
}

void Account::lose(Hole why) {
  // A batch below a claim will not be sent any more, so a gap that existed before is not explained by records lost
  // later.
  for (auto& [first, gap] : gaps) {
    gap.certain = gap.certain || (awaited == Hole::kNone && first >= std::max(unread_below, expired_below));
  }
  awaited = std::max(awaited, why);
}

DroppedRanges::Added Account::drop(const metrics::Drop& report) { return dropped.add(report); }

void Account::note_elsewhere(const metrics::Elsewhere& report) {
  if (elsewhere.size() >= kMostLogs && !elsewhere.contains(report.log)) return;
  elsewhere[report.log].add(report.first_sequence, report.last_sequence);
}

void Account::tidy() {
  std::map<uint64_t, Gap> left;
  for (const auto& [begin, gap] : gaps) {
    for (const auto& [first, last] : unseen(begin, gap.last)) left[first] = {last, gap.since_ns, gap.certain};
  }
  gaps = std::move(left);
}

}  // namespace monitor::analysis

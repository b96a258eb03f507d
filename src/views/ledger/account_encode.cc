#include "metrics/encode.h"
#include "views/ledger/account_codec.h"
#include "views/ledger/account_fields.h"

namespace monitor::analysis {

using namespace account_fields;  // NOLINT(google-build-using-namespace)

namespace {

void put_account_head(std::string& out, const Account& a) {
  protowire::put_bytes(out, kHost, a.host);
  std::string intervals;
  a.stored.encode(intervals);
  protowire::put_bytes(out, kStored, intervals);
  protowire::put_uint64(out, kBatchesStored, a.batches_stored);
  protowire::put_uint64(out, kDuplicates, a.duplicates);
  protowire::put_uint64(out, kTicksStored, a.ticks_stored);
  protowire::put_uint64(out, kPointsStored, a.points_stored);
  protowire::put_uint64(out, kLateTicks, a.late_ticks);
  protowire::put_sfixed64(out, kFirstTime, a.first_time_ns);
  protowire::put_sfixed64(out, kLastTime, a.last_time_ns);
  protowire::put_sfixed64(out, kFirstAppended, a.first_appended_ns);
  protowire::put_sfixed64(out, kLastAppended, a.last_appended_ns);
  protowire::put_sfixed64(out, kLastLog, a.last_log_ns);
}

void put_amounts(std::string& out, const DropKey& key, uint64_t batches, uint64_t ticks, uint64_t points) {
  protowire::put_bytes(out, kStage, key.first);
  protowire::put_bytes(out, kReason, key.second);
  protowire::put_uint64(out, kBatches, batches);
  protowire::put_uint64(out, kTicks, ticks);
  protowire::put_uint64(out, kPoints, points);
}

void put_times(std::string& out, int64_t first_ns, int64_t last_ns) {
  protowire::put_sfixed64(out, kFirstTimeOfDrop, first_ns);
  protowire::put_sfixed64(out, kLastTimeOfDrop, last_ns);
}

void put_losses(std::string& out, const Account& a) {
  for (const RecentLosses::Kind& kind : a.losses.kinds()) {
    for (const RecentLosses::Loss& loss : kind.losses) {
      std::string bytes;
      put_amounts(bytes, {kind.stage, kind.reason}, 0, loss.ticks, loss.points);
      protowire::put_bytes(bytes, kPlugin, kind.plugin);
      put_times(bytes, loss.first_time_ns, loss.last_time_ns);
      protowire::put_message(out, kLoss, bytes);
    }
  }
  for (const auto& [first, part] : a.point_sums.parts()) {
    std::string bytes;
    protowire::put_uint64(bytes, kFirst, first);
    protowire::put_uint64(bytes, kLast, part.last);
    protowire::put_uint64(bytes, kBefore, part.before);
    protowire::put_uint64(bytes, kThrough, part.through);
    protowire::put_message(out, kPointSum, bytes);
  }
}

void put_counters(std::string& out, const Account& a) {
  protowire::put_uint64(out, kCountersSequence, a.counters_sequence);
  protowire::put_uint64(out, kTicksDue, a.counters.ticks_due);
  protowire::put_uint64(out, kTicksMissed, a.counters.ticks_missed);
  protowire::put_uint64(out, kPointsMade, a.counters.points_made);
  for (const metrics::Drop& total : a.counters.dropped) {
    std::string bytes;
    put_amounts(bytes, {total.stage, total.reason}, total.batches, total.ticks, total.points);
    if (!total.plugin.empty()) protowire::put_bytes(bytes, kPlugin, total.plugin);
    protowire::put_message(out, kTotal, bytes);
  }
  for (const auto& [first, range] : a.dropped.ranges()) {
    std::string bytes;
    put_amounts(bytes, {range.stage, range.reason}, range.batches, 0, range.points);
    protowire::put_uint64(bytes, kFirst, range.first_sequence);
    protowire::put_uint64(bytes, kLast, range.last_sequence);
    put_times(bytes, range.first_time_ns, range.last_time_ns);
    protowire::put_message(out, kDropped, bytes);
  }
  for (const auto& [key, added] : a.foreign) {
    std::string bytes;
    put_amounts(bytes, key, added.batches, 0, added.points);
    protowire::put_message(out, kForeign, bytes);
  }
}

void put_claims(std::string& out, const Account& a) {
  protowire::put_uint64(out, kClaimed, a.claimed);
  for (const auto& [first, gap] : a.gaps) {
    std::string bytes;
    protowire::put_uint64(bytes, kFirst, first);
    protowire::put_uint64(bytes, kLast, gap.last);
    protowire::put_sfixed64(bytes, kSince, gap.since_ns);
    protowire::put_uint64(bytes, kCertain, gap.certain ? 1 : 0);
    protowire::put_message(out, kGap, bytes);
  }
  if (a.end) protowire::put_message(out, kEnd, metrics::encode_end(*a.end));
  protowire::put_bytes(out, kEndedBy, a.ended_by);
  protowire::put_uint64(out, kEndedAt, a.ended_at);
  protowire::put_uint64(out, kFinalSequence, a.final_sequence);
  protowire::put_uint64(out, kAwaited, static_cast<uint64_t>(a.awaited));
  protowire::put_uint64(out, kUnreadBelow, a.unread_below);
  protowire::put_uint64(out, kExpiredBelow, a.expired_below);
}

void put_elsewhere(std::string& out, const Account& a) {
  for (const auto& [log, sequences] : a.elsewhere) {
    std::string intervals;
    sequences.encode(intervals);
    std::string bytes;
    protowire::put_bytes(bytes, kLog, log);
    protowire::put_bytes(bytes, kSequences, intervals);
    protowire::put_message(out, kElsewhere, bytes);
  }
}

void put_conflicts(std::string& out, const Account& a) {
  protowire::put_uint64(out, kConflicts, a.conflicts);
  for (const Conflict& one : a.conflict_examples) {
    std::string bytes;
    protowire::put_uint64(bytes, kSequence, one.sequence);
    protowire::put_uint64(bytes, kFirstOffset, static_cast<uint64_t>(one.first_offset + 1));
    protowire::put_sfixed64(bytes, kOffset, one.offset);
    protowire::put_sfixed64(bytes, kTime, one.time_ns);
    protowire::put_bytes(bytes, kWhy, one.why);
    protowire::put_message(out, kConflict, bytes);
  }
}

}  // namespace

void put_account(std::string& out, const Account& account) {
  put_account_head(out, account);
  put_counters(out, account);
  put_losses(out, account);
  put_claims(out, account);
  put_conflicts(out, account);
  put_elsewhere(out, account);
}

}  // namespace monitor::analysis

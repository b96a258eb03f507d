// PartitionLedger's wire form in snapshots. Field numbers must never change; unknown ones are skipped.
#include <algorithm>
#include <utility>

#include "base/protowire.h"
#include "metrics/decode.h"
#include "metrics/encode.h"
#include "views/ledger/partition_ledger.h"

namespace monitor::analysis {

namespace {

using protowire::Field;
using protowire::Reader;

// Fields of the ledger.
enum : uint32_t { kHole = 1, kNewest = 2, kAccount = 3 };
// Fields of an account.
enum : uint32_t {
  kAgent = 1,
  kIncarnation = 2,
  kHost = 3,
  kStored = 4,
  kBatchesStored = 5,
  kDuplicates = 6,
  kTicksStored = 7,
  kPointsStored = 8,
  kLateTicks = 9,
  kFirstTime = 10,
  kLastTime = 11,
  kFirstAppended = 12,
  kLastAppended = 13,
  kLastLog = 14,
  kCountersSequence = 15,
  kTicksDue = 16,
  kTicksMissed = 17,
  kPointsMade = 18,
  kTotal = 19,
  kDropped = 20,
  kForeign = 21,
  kClaimed = 22,
  kGap = 23,
  kEnd = 24,
  kEndedBy = 25,
  kEndedAt = 26,
  kAwaited = 27,
  kUnreadBelow = 28,
  kExpiredBelow = 29,
  kConflicts = 30,
  kConflict = 31,
  kFinalSequence = 32,
  kElsewhere = 33,
  kPointSum = 34,
  kLoss = 35,
};
// Fields of batches in another log.
enum : uint32_t { kLog = 1, kSequences = 2 };
// Fields of a conflict. The first offset is stored plus one; 0 means none.
enum : uint32_t { kSequence = 1, kFirstOffset = 2, kOffset = 3, kTime = 4, kWhy = 5 };
// Fields of a drop, of a loss, of a gap, and of a sum of points.
enum : uint32_t {
  kStage = 1,
  kReason = 2,
  kBatches = 3,
  kTicks = 4,
  kPoints = 5,
  kFirst = 6,
  kLast = 7,
  kSince = 8,
  kCertain = 9,
  kPlugin = 10,
  kFirstTimeOfDrop = 11,
  kLastTimeOfDrop = 12,
  kBefore = 13,
  kThrough = 14
};

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

bool read_elsewhere(std::string_view bytes, Account& a) {
  std::string log;
  std::optional<IntervalSet> sequences;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == kLog) log = field->bytes;
    if (field->number == kSequences) sequences = IntervalSet::decode(field->bytes);
  }
  if (reader.failed() || !sequences) return false;
  a.elsewhere.insert_or_assign(std::move(log), std::move(*sequences));
  return true;
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

bool read_conflict(std::string_view bytes, Account& a) {
  Conflict one;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == kSequence) one.sequence = field->value;
    if (field->number == kFirstOffset) one.first_offset = static_cast<int64_t>(field->value & INT64_MAX) - 1;
    if (field->number == kOffset) one.offset = field->as_signed();
    if (field->number == kTime) one.time_ns = field->as_signed();
    if (field->number == kWhy) one.why = field->bytes;
  }
  if (reader.failed()) return false;
  if (a.conflict_examples.size() < Account::kMostExamples) a.conflict_examples.push_back(std::move(one));
  return true;
}

// The fields of all nested messages; each kind uses some of them.
struct Amounts {
  metrics::Drop total;
  uint64_t first = 0;
  uint64_t last = 0;
  int64_t since_ns = 0;
  bool certain = false;
  uint64_t before = 0;
  uint64_t through = 0;
};

bool read_amounts(std::string_view bytes, Amounts& out) {
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case kStage:
        out.total.stage = field->bytes;
        break;
      case kPlugin:
        out.total.plugin = field->bytes;
        break;
      case kReason:
        out.total.reason = field->bytes;
        break;
      case kBatches:
        out.total.batches = field->value;
        break;
      case kTicks:
        out.total.ticks = field->value;
        break;
      case kPoints:
        out.total.points = field->value;
        break;
      case kFirst:
        out.first = field->value;
        break;
      case kLast:
        out.last = field->value;
        break;
      case kSince:
        out.since_ns = field->as_signed();
        break;
      case kCertain:
        out.certain = field->value != 0;
        break;
      case kFirstTimeOfDrop:
        out.total.first_time_ns = field->as_signed();
        break;
      case kLastTimeOfDrop:
        out.total.last_time_ns = field->as_signed();
        break;
      case kBefore:
        out.before = field->value;
        break;
      case kThrough:
        out.through = field->value;
        break;
      default:
        break;
    }
  }
  return !reader.failed();
}

bool read_stored(std::string_view bytes, Account& a) {
  auto stored = IntervalSet::decode(bytes);
  if (stored) a.stored = std::move(*stored);
  return stored.has_value();
}

bool read_nested(const Field& field, Account& a) {
  Amounts amounts;
  if (!read_amounts(field.bytes, amounts)) return false;
  const metrics::Drop& total = amounts.total;
  const bool range = amounts.first <= amounts.last;
  if (field.number == kTotal) a.counters.dropped.push_back(total);
  if (field.number == kForeign) a.foreign[{total.stage, total.reason}] = {total.batches, total.points};
  if (field.number == kDropped) {
    a.dropped.add({.stage = total.stage,
                   .reason = total.reason,
                   .batches = total.batches,
                   .points = total.points,
                   .first_sequence = amounts.first,
                   .last_sequence = amounts.last,
                   .first_time_ns = total.first_time_ns,
                   .last_time_ns = total.last_time_ns});
  }
  if (field.number == kLoss) a.losses.add(total);
  if (field.number == kPointSum) a.point_sums.restore(amounts.first, {amounts.last, amounts.before, amounts.through});
  if (field.number == kGap && range) a.gaps[amounts.first] = {amounts.last, amounts.since_ns, amounts.certain};
  return true;
}

bool read_end(std::string_view bytes, Account& a) {
  auto end = metrics::decode_end(bytes);
  if (end) a.end = std::move(*end);
  return a.end.has_value();
}

uint64_t* number_of(uint32_t field, Account& a) {
  switch (field) {
    case kBatchesStored:
      return &a.batches_stored;
    case kDuplicates:
      return &a.duplicates;
    case kTicksStored:
      return &a.ticks_stored;
    case kPointsStored:
      return &a.points_stored;
    case kLateTicks:
      return &a.late_ticks;
    case kConflicts:
      return &a.conflicts;
    case kCountersSequence:
      return &a.counters_sequence;
    case kTicksDue:
      return &a.counters.ticks_due;
    case kTicksMissed:
      return &a.counters.ticks_missed;
    case kPointsMade:
      return &a.counters.points_made;
    case kClaimed:
      return &a.claimed;
    case kEndedAt:
      return &a.ended_at;
    case kFinalSequence:
      return &a.final_sequence;
    case kUnreadBelow:
      return &a.unread_below;
    case kExpiredBelow:
      return &a.expired_below;
    default:
      return nullptr;
  }
}

int64_t* time_of(uint32_t field, Account& a) {
  switch (field) {
    case kFirstTime:
      return &a.first_time_ns;
    case kLastTime:
      return &a.last_time_ns;
    case kFirstAppended:
      return &a.first_appended_ns;
    case kLastAppended:
      return &a.last_appended_ns;
    case kLastLog:
      return &a.last_log_ns;
    default:
      return nullptr;
  }
}

bool read_field(const Field& field, Account& a) {
  if (uint64_t* const number = number_of(field.number, a)) *number = field.value;
  if (int64_t* const time = time_of(field.number, a)) *time = field.as_signed();
  switch (field.number) {
    case kHost:
      a.host = field.bytes;
      return true;
    case kEndedBy:
      a.ended_by = field.bytes;
      return true;
    case kStored:
      return read_stored(field.bytes, a);
    case kEnd:
      return read_end(field.bytes, a);
    case kConflict:
      return read_conflict(field.bytes, a);
    case kElsewhere:
      return read_elsewhere(field.bytes, a);
    case kTotal:
    case kDropped:
    case kForeign:
    case kGap:
    case kLoss:
    case kPointSum:
      return read_nested(field, a);
    case kAwaited:
      if (field.value > static_cast<uint64_t>(Hole::kExpired)) return false;
      a.awaited = static_cast<Hole>(field.value);
      return true;
    default:
      return true;
  }
}

}  // namespace

void PartitionLedger::encode(std::string& out) const {
  protowire::put_uint64(out, kHole, static_cast<uint64_t>(hole_));
  protowire::put_sfixed64(out, kNewest, now_.now_ns());
  for (const auto& [agent, accounts] : agents_) {
    for (const auto& [incarnation, account] : accounts) {
      std::string bytes;
      protowire::put_bytes(bytes, kAgent, agent);
      protowire::put_bytes(bytes, kIncarnation, incarnation);
      put_account_head(bytes, account);
      put_counters(bytes, account);
      put_losses(bytes, account);
      put_claims(bytes, account);
      put_conflicts(bytes, account);
      put_elsewhere(bytes, account);
      protowire::put_message(out, kAccount, bytes);
    }
  }
}

Result<PartitionLedger> PartitionLedger::decode(std::string_view bytes) {
  const Error bad(Code::kDataLoss, "its ledger is malformed");
  PartitionLedger ledger;
  Reader outer(bytes);
  while (const auto field = outer.next()) {
    if (field->number == kHole && field->value > static_cast<uint64_t>(Hole::kExpired)) return bad;
    if (field->number == kHole) ledger.hole_ = static_cast<Hole>(field->value);
    if (field->number == kNewest) ledger.now_ = LogTime(field->as_signed());
    if (field->number != kAccount) continue;
    std::string agent;
    std::string incarnation;
    Account account;
    Reader inner(field->bytes);
    while (const auto part = inner.next()) {
      if (part->number == kAgent) agent = part->bytes;
      if (part->number == kIncarnation) incarnation = part->bytes;
      if (!read_field(*part, account)) return bad;
    }
    if (inner.failed()) return bad;
    account.claimed = std::max<uint64_t>(account.claimed, 1);  // sequences start at 1, whatever was stored
    ledger.agents_[agent].insert_or_assign(std::move(incarnation), std::move(account));
  }
  if (outer.failed()) return bad;
  return ledger;
}

}  // namespace monitor::analysis

#include <utility>

#include "metrics/decode.h"
#include "views/ledger/account_codec.h"
#include "views/ledger/account_fields.h"

namespace monitor::analysis {

using namespace account_fields;  // NOLINT(google-build-using-namespace)

namespace {

using protowire::Field;
using protowire::Reader;

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

}  // namespace

bool read_account_field(const Field& field, Account& a) {
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

}  // namespace monitor::analysis

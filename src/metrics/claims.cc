#include "metrics/claims.h"

#include <fmt/format.h>

namespace monitor::metrics {

namespace {

Error beyond(std::string_view what, uint64_t got, std::string_view limit) {
  return Error(Code::kInvalidArgument, fmt::format("batch: {} is {}, {}", what, got, limit));
}

Status at_most(std::string_view what, uint64_t got, uint64_t limit) {
  if (got <= limit) return {};
  return beyond(what, got, fmt::format("the limit is {}", limit));
}

Status check_time(std::string_view what, int64_t got) {
  if (got >= 0 && got <= kMaxTimeNs) return {};
  return Error(Code::kInvalidArgument,
               fmt::format("batch: {} is {} ns, the limits are 0 and {} (the year 2200)", what, got, kMaxTimeNs));
}

Status check_amounts(std::string_view whose, uint64_t batches, uint64_t ticks, uint64_t points) {
  if (batches <= kMaxCount && ticks <= kMaxCount && points <= kMaxPoints) return {};
  if (auto s = at_most(fmt::format("the number of batches of {}", whose), batches, kMaxCount); !s) return s;
  if (auto s = at_most(fmt::format("the number of ticks of {}", whose), ticks, kMaxCount); !s) return s;
  return at_most(fmt::format("the number of points of {}", whose), points, kMaxPoints);
}

Status check_counters(const Counters& counters) {
  if (auto s = at_most("the number of ticks due", counters.ticks_due, kMaxCount); !s) return s;
  if (auto s = at_most("the number of ticks missed", counters.ticks_missed, kMaxCount); !s) return s;
  if (auto s = at_most("the number of points made", counters.points_made, kMaxPoints); !s) return s;
  for (const Drop& total : counters.dropped) {
    if (auto s = check_amounts("a drop total", total.batches, total.ticks, total.points); !s) return s;
  }
  return {};
}

// A batch only refers to sequences below its own.
Status check_drop(const Drop& drop, const Claims& claims) {
  if (auto s = check_amounts("a drop record", drop.batches, drop.ticks, drop.points); !s) return s;
  if (auto s = at_most("the last sequence of a drop record", drop.last_sequence, kMaxSequence); !s) return s;
  if (drop.first_sequence > drop.last_sequence || (drop.first_sequence == 0 && drop.last_sequence != 0)) {
    return Error(Code::kInvalidArgument, fmt::format("batch: a drop record has the sequences {} to {}",
                                                     drop.first_sequence, drop.last_sequence));
  }
  if (drop.incarnation == claims.incarnation && drop.last_sequence >= claims.sequence) {
    return beyond("the last sequence of a drop record", drop.last_sequence,
                  fmt::format("the batch's own is {}", claims.sequence));
  }
  if (auto s = check_time("the first time of a drop record", drop.first_time_ns); !s) return s;
  return check_time("the last time of a drop record", drop.last_time_ns);
}

Status check_end(const IncarnationEnd& end, const Claims& claims) {
  if (end.incarnation == claims.incarnation) {
    return Error(Code::kInvalidArgument, "batch: it reports the end of its own run");
  }
  if (auto s = at_most("the last sequence of an ended run", end.last_sequence, kMaxSequence); !s) return s;
  return check_time("the last time of an ended run", end.last_time_ns);
}

Status check_elsewhere(const Elsewhere& one, const Claims& claims) {
  if (auto s = at_most("the last sequence in another log", one.last_sequence, kMaxSequence); !s) return s;
  if (one.first_sequence == 0 || one.first_sequence > one.last_sequence) {
    return Error(Code::kInvalidArgument, fmt::format("batch: the sequences in another log are {} to {}",
                                                     one.first_sequence, one.last_sequence));
  }
  if (one.incarnation != claims.incarnation || one.last_sequence < claims.sequence) return {};
  return beyond("the last sequence in another log", one.last_sequence,
                fmt::format("the batch's own is {}", claims.sequence));
}

}  // namespace

Status check_claims(const Claims& claims) {
  if (auto s = at_most("sequence", claims.sequence, kMaxSequence); !s) return s;
  // The batch itself cannot have been acknowledged when it was created.
  if (claims.first_unacked > claims.sequence) {
    return beyond("first_unacked", claims.first_unacked, fmt::format("the limit is its sequence, {}", claims.sequence));
  }
  if (auto s = check_time("the time of append", claims.appended_ns); !s) return s;
  if (auto s = check_counters(claims.counters); !s) return s;
  for (const Drop& drop : claims.drops) {
    if (auto s = check_drop(drop, claims); !s) return s;
  }
  for (const IncarnationEnd& end : claims.ended) {
    if (auto s = check_end(end, claims); !s) return s;
  }
  for (const OlderIncarnation& older : claims.older) {
    if (auto s = at_most("first_unacked of an older run", older.first_unacked, kMaxSequence); !s) return s;
  }
  for (const Elsewhere& one : claims.elsewhere) {
    if (auto s = check_elsewhere(one, claims); !s) return s;
  }
  return {};
}

Status check_claims(const Envelope& e) {
  return check_claims(
      {e.incarnation, e.sequence, e.first_unacked, e.appended_ns, e.counters, e.drops, e.ended, e.older, e.elsewhere});
}

}  // namespace monitor::metrics

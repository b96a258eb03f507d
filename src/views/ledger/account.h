// Account: what the log says of one incarnation of an agent. Which batches it made is known by their sequences; what
// became of each by the batches themselves, by drop records, and by claims: a batch says below which sequence nothing
// waits any more (first_unacked), of its own incarnation and of older ones whose batches are in the same spool.
//
// A sequence below the claim that is neither stored nor dropped was lost: it is a gap, as old as the claim. Where the
// log does not hold everything, a gap may be nothing but that: see Hole.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/interval_set.h"
#include "metriclog/log.h"
#include "metrics/batch.h"
#include "views/ledger/dropped_ranges.h"

namespace monitor::analysis {

using Ranges = std::vector<std::pair<uint64_t, uint64_t>>;
using DropKey = std::pair<std::string, std::string>;  // stage, reason

// Why records before those that were read are unknown.
enum class Hole : uint8_t {
  kNone = 0,
  kUnread = 1,   // reading began behind them, as it was told to
  kExpired = 2,  // retention took them
};

// A record that is in the log and is not counted: its batch contradicts the one that came first under its sequence, or
// claims what no agent reaches (metrics/claims.h).
struct Conflict {
  uint64_t sequence = 0;
  int64_t first_offset = -1;  // of the record that counts; -1: the claim alone is implausible
  int64_t offset = 0;
  int64_t time_ns = 0;  // by the log
  std::string why;
};

struct Account {
  static constexpr size_t kMostExamples = 16;
  static constexpr size_t kMostLogs = 16;

  // A first batch, or a copy of one that is counted already.
  void store(const metriclog::Record& record, const metrics::Batch& batch);
  void note(Conflict conflict);
  // Nothing below `first_unacked` waits, as was known when the log had come to `log_time_ns`.
  void claim(uint64_t first_unacked, int64_t log_time_ns);
  DroppedRanges::Added drop(const metrics::Drop& drop);
  // Batches were settled in another log.
  void note_elsewhere(const metrics::Elsewhere& told);
  // Records may be gone that would have been read now.
  void lose(Hole why);
  // Forgets gaps that were filled.
  void tidy();
  // What of a range is neither stored nor dropped.
  Ranges unseen(uint64_t first, uint64_t last) const;
  bool settled() const { return end && claimed > end->last_sequence; }

  std::string host;
  IntervalSet stored;
  uint64_t batches_stored = 0;
  uint64_t duplicates = 0;
  uint64_t ticks_stored = 0;
  uint64_t points_stored = 0;
  uint64_t late_ticks = 0;
  uint64_t conflicts = 0;
  std::vector<Conflict> conflict_examples;  // the first of them
  int64_t first_time_ns = 0;                // of the earliest tick, or of a heartbeat
  int64_t last_time_ns = 0;
  int64_t first_appended_ns = 0;  // 0: none stored
  int64_t last_appended_ns = 0;
  int64_t last_log_ns = 0;  // of the last record that speaks of it

  uint64_t counters_sequence = 0;  // the highest that was stored: totals only grow
  metrics::Counters counters;
  DroppedRanges dropped;
  // By the identity of a log: what was settled while the agent's server wrote that one.
  std::map<std::string, IntervalSet> elsewhere;
  // Of the totals in `counters`: what this run dropped of other incarnations, which counts there.
  std::map<DropKey, DroppedRanges::Added> foreign;

  uint64_t claimed = 1;
  struct Gap {
    uint64_t last = 0;
    int64_t since_ns = 0;  // by the log's clock
    // All that could have filled it had been read when it was claimed: what is lost later changes nothing.
    bool certain = false;
  };
  std::map<uint64_t, Gap> gaps;  // by their first; they do not overlap

  std::optional<metrics::IncarnationEnd> end;  // told by the next run
  std::string ended_by;                        // its incarnation
  uint64_t ended_at = 0;                       // and the first of its batches that told so
  uint64_t final_sequence = 0;                 // of the batch that it marked as its last; 0: none came

  // Sequences below these may have been stored where the log was not read, or is no more. It is not known how far that
  // reaches until a batch came that had not waited: those that came before it have lower sequences.
  Hole awaited = Hole::kNone;
  uint64_t unread_below = 0;
  uint64_t expired_below = 0;

 private:
  void note_times(const metriclog::Record& record, const metrics::Batch& batch);
  void close_hole(const metriclog::Record& record, const metrics::Batch& batch);
};

}  // namespace monitor::analysis

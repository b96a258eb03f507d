// Account: what the log shows about one incarnation of an agent. The sequences show which batches it created. The
// outcome of each is known from the batches themselves, from drop records, and from claims. A claim is the sequence
// below which nothing waits any more (first_unacked). A batch claims one for its own incarnation, and for older ones
// whose batches are in the same spool.
//
// A sequence below the claim that is neither stored nor dropped is lost: it is a gap, as old as the claim. If the log
// does not contain everything, the batch may be in the part that was not read: see Hole.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/interval_set.h"
#include "metriclog/log.h"
#include "metrics/batch.h"
#include "views/ledger/dropped_ranges.h"
#include "views/ledger/point_sums.h"
#include "views/ledger/recent_losses.h"

namespace monitor::analysis {

using Ranges = std::vector<std::pair<uint64_t, uint64_t>>;
using DropKey = std::pair<std::string, std::string>;  // stage, reason

// Why the records before the first one read are unknown.
enum class Hole : uint8_t {
  kNone = 0,
  kUnread = 1,   // reading started after them, as configured
  kExpired = 2,  // retention deleted them
};

// A record in the log that is not counted: its batch contradicts the first one with its sequence, or claims what no
// agent reaches (metrics/claims.h).
struct Conflict {
  uint64_t sequence = 0;
  int64_t first_offset = -1;  // of the record that counts; -1: the claim itself is implausible
  int64_t offset = 0;
  int64_t time_ns = 0;  // by the log's clock
  std::string why;
};

// True if what is dropped at this stage was not in a batch yet.
inline bool before_batches(std::string_view stage) {
  return stage == metrics::stage::kCollect || stage == metrics::stage::kQueue || stage == metrics::stage::kPlugin;
}

struct Account {
  static constexpr size_t kMostExamples = 16;
  static constexpr size_t kMostLogs = 16;

  // Adds a batch, or a copy of one that is already counted.
  void store(const metriclog::Record& record, const metrics::Batch& batch);
  void note(Conflict conflict);
  // Nothing below `first_unacked` waits any more, as of `log_time_ns`.
  void claim(uint64_t first_unacked, int64_t log_time_ns);
  DroppedRanges::Added drop(const metrics::Drop& drop);
  // Batches were acknowledged or dropped while the agent's server wrote another log.
  void note_elsewhere(const metrics::Elsewhere& report);
  // Records may have been deleted that would otherwise have been read now.
  void lose(Hole why);
  // Forgets gaps that were filled in the meantime.
  void tidy();
  // The parts of a range that are neither stored nor dropped.
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
  std::vector<Conflict> conflict_examples;  // only the first ones
  int64_t first_time_ns = 0;                // of the earliest tick or heartbeat
  int64_t last_time_ns = 0;
  int64_t first_appended_ns = 0;  // 0: none stored
  int64_t last_appended_ns = 0;
  int64_t last_log_ns = 0;  // of the last record that refers to this incarnation

  uint64_t counters_sequence = 0;  // the highest stored sequence, because totals only grow
  metrics::Counters counters;
  DroppedRanges dropped;
  PointSums point_sums;
  RecentLosses losses;  // of what was dropped before it had a sequence
  // By the identity of another log: the batches that were acknowledged or dropped while the agent's server wrote that
  // log.
  std::map<std::string, IntervalSet> elsewhere;
  // The part of the totals in `counters` that concerns batches of other incarnations. Those drops count in the accounts
  // of their own incarnations, so the report subtracts them here.
  std::map<DropKey, DroppedRanges::Added> foreign;

  uint64_t claimed = 1;
  struct Gap {
    uint64_t last = 0;
    int64_t since_ns = 0;  // by the log's clock
    // Everything that could have filled the gap was read before the claim, so records lost later do not explain it.
    bool certain = false;
  };
  std::map<uint64_t, Gap> gaps;  // by their first sequence; they do not overlap

  std::optional<metrics::IncarnationEnd> end;  // as reported by the next run
  std::string ended_by;                        // the incarnation that reported it
  uint64_t ended_at = 0;                       // and its first batch that did
  uint64_t final_sequence = 0;                 // of the batch marked as the last one; 0: none arrived

  // Sequences below these may be stored in a part of the log that was not read, or is deleted. How far that reaches is
  // only known once a batch arrives that has not waited: batches stored before it have lower sequences.
  Hole awaited = Hole::kNone;
  uint64_t unread_below = 0;
  uint64_t expired_below = 0;

 private:
  void note_times(const metriclog::Record& record, const metrics::Batch& batch);
  void close_hole(const metriclog::Record& record, const metrics::Batch& batch);
};

}  // namespace monitor::analysis

// The ledger: what became of every batch that ever had a sequence. It is told of everything as it happens, from the
// agents' spools and from the log, and knows at once when a promise is broken; at the end it says whether all is there.
//
// What a batch may be is exactly one of: in the log, dropped with a record that is in the log, or in the spool. What
// may be lost without a word is only what the rules of loss say (docs/robustness.md): such a batch is *exposed*.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/batch.h"
#include "simulation/schedule.h"
#include "spool/spool.h"
#include "views/ledger/report.h"

namespace monitor::simulation {

// A batch, as the simulation knows it.
struct Entry {
  int64_t appended_ns = 0;  // on the schedule
  uint64_t hash = 0;
  uint64_t points_before = 0;   // of this incarnation, this batch included
  uint64_t dropped_before = 0;  // batches that the process had dropped when it was made
  uint32_t stored = 0;          // times
  bool acknowledged = false;
  bool dropped = false;  // the spool said so
  bool told = false;     // a record of it is in the log
  bool exposed = false;  // it may be lost
  bool suspect = false;  // the disk was failing when it came: memory may be all that it was in
  bool doubted = false;  // it once was: a torn copy of it may lie about
  uint32_t taken = 0;    // frames that readers took for good
};

struct Incarnation {
  std::string id;
  std::string agent_id;
  std::vector<Entry> entries;  // by sequence, from 1
  uint64_t points = 0;
  uint64_t dropped = 0;  // batches, by this process, of any incarnation
  bool ended = false;
  bool clean = false;       // it ended in order
  bool either_way = false;  // it was ending in order when something happened
  bool blurred = false;     // its spool was copied: two processes speak for it
  std::optional<metrics::IncarnationEnd> end_told;
  uint64_t claimed = 0;  // up to here a stored batch has said that nothing waits
};

class Ledger {
 public:
  explicit Ledger(Schedule& schedule) : schedule_(schedule) {}

  // A process begins; the incarnation's 16 bytes are given out here.
  size_t begin(const std::string& agent_id, uint64_t salt);
  Incarnation& incarnation(size_t index) { return incarnations_[index]; }
  size_t count() const { return incarnations_.size(); }
  // nullptr: never given out.
  Incarnation* find(std::string_view id);
  Entry* find(std::string_view id, uint64_t sequence);

  // --- from agents
  Entry& appended(size_t process, const agent::BatchInfo& info, std::string_view bytes);
  void acknowledged(const agent::BatchInfo& info);
  void lost(size_t process, const metrics::Drop& drop);

  // --- from the log
  void stored(std::string_view value);

  // --- the end
  // Nothing waits, everything is told.
  void settled();
  // What readers say of the runs, once everything was read: each run in one row, as it is known here.
  void compare(const std::vector<analysis::LedgerRow>& rows);

  uint64_t batches() const { return batches_; }
  uint64_t stored_batches() const { return stored_; }
  void fail(const std::string& what);
  bool failed() const { return !failure_.empty(); }
  const std::string& failure() const { return failure_; }

 private:
  void first_stored(Incarnation& from, Entry& entry, const metrics::Batch& batch);
  void take_drop(const metrics::Drop& drop);
  void take_end(const metrics::IncarnationEnd& end);
  void claim(std::string_view id, uint64_t first_unacked);
  void check(const Incarnation& incarnation);
  void compare(const analysis::LedgerRow& row, const Incarnation& incarnation);
  static std::string name(const Incarnation& incarnation, uint64_t sequence);

  Schedule& schedule_;
  std::vector<Incarnation> incarnations_;
  uint64_t batches_ = 0;
  uint64_t stored_ = 0;
  std::string failure_;
};

}  // namespace monitor::simulation

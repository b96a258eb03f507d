// The ledger records the fate of every batch with a sequence. The agents' spools and the log report every event to it,
// so it detects a broken guarantee immediately. At the end it checks that all batches are accounted for.
//
// Every batch must be in the log, dropped with a drop record in the log, or in the spool. Only batches that the rules
// in docs/robustness.md allow may be lost without a record; these are *exposed*.
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

// The simulation's record of a batch.
struct Entry {
  int64_t appended_ns = 0;  // schedule time
  uint64_t hash = 0;
  uint64_t v1_hash = 0;         // of the batch as payload v1, as an older server gets it
  uint64_t points_before = 0;   // points of the incarnation up to and including this batch
  uint64_t dropped_before = 0;  // batches dropped by the process when this batch was created
  uint32_t stored = 0;          // copies in the log
  bool acknowledged = false;
  bool dropped = false;      // reported by the spool
  bool recorded = false;     // the log contains its drop record
  bool exposed = false;      // it may be lost
  bool suspect = false;      // appended while the disk was failing, so it may be only in memory
  bool was_suspect = false;  // was suspect: a torn copy may remain on disk
  uint32_t counted = 0;      // frames counted by readers in a stored snapshot
};

struct Incarnation {
  std::string id;
  std::string agent_id;
  std::vector<Entry> entries;  // by sequence, from 1
  uint64_t points = 0;
  uint64_t dropped = 0;  // batches dropped by this process, of any incarnation
  bool ended = false;
  bool clean = false;          // ended cleanly
  bool ambiguous_end = false;  // a fault occurred during a clean end: both outcomes are valid
  bool cloned = false;         // its spool was copied: two processes report about it
  std::optional<metrics::IncarnationEnd> recorded_end;
  bool final_stored = false;  // the batch that it marked as its last is in the log
  uint64_t claimed = 0;       // a stored batch claims that all sequences up to this one are resolved
};

class Ledger {
 public:
  explicit Ledger(Schedule& schedule) : schedule_(schedule) {}

  // Registers a process, and assigns the 16 bytes of its incarnation.
  size_t begin(const std::string& agent_id, uint64_t salt);
  Incarnation& incarnation(size_t index) { return incarnations_[index]; }
  size_t count() const { return incarnations_.size(); }
  // Returns nullptr for an unknown incarnation.
  Incarnation* find(std::string_view id);
  Entry* find(std::string_view id, uint64_t sequence);

  // --- from agents
  Entry& appended(size_t process, const agent::BatchInfo& info, std::string_view bytes);
  void acknowledged(const agent::BatchInfo& info);
  void lost(size_t process, const metrics::Drop& drop);

  // --- from the log
  void stored(std::string_view key, std::string_view value);

  // --- the end
  // Checks the final state: no batch waits, and every batch is accounted for.
  void check_all();
  // Compares the readers' rows, after they have read everything: one row per run, equal to this ledger.
  void compare(const std::vector<analysis::LedgerRow>& rows);

  uint64_t batches() const { return batches_; }
  uint64_t stored_batches() const { return stored_; }
  uint64_t stored_as_v2() const { return stored_as_v2_; }
  // Copies of a batch of v2 that the log has as v1.
  uint64_t converted() const { return converted_; }
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
  void compare_sums(const analysis::LedgerRow& row, const std::string& who);
  static std::string name(const Incarnation& incarnation, uint64_t sequence);

  Schedule& schedule_;
  std::vector<Incarnation> incarnations_;
  uint64_t batches_ = 0;
  uint64_t stored_ = 0;
  uint64_t stored_as_v2_ = 0;
  uint64_t converted_ = 0;
  std::string failure_;
};

}  // namespace monitor::simulation

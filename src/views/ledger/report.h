// The ledger as rows, one per incarnation, judged at one point in time, and their JSON form. Pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "views/ledger/ledger.h"
#include "views/ledger/sums.h"

namespace monitor::analysis {

struct LedgerRow {
  enum class End {
    kUnknown,  // no batch for longer than heartbeats are apart, and no reported end
    kRunning,
    kStopped,  // in order, as its last batch or the next run reports
    kUnclean,  // killed, as the next run reports
  };

  std::string agent;
  std::string incarnation;  // 16 bytes
  std::string host;
  uint64_t first_sequence = 0;  // of the stored batches; 0: nothing is stored
  uint64_t last_sequence = 0;
  int64_t first_time_ns = 0;
  int64_t last_time_ns = 0;
  uint64_t batches_stored = 0;
  uint64_t duplicates = 0;
  // Each (stage, reason, plugin) once; with the time of the lost ticks, as far as it is known, and the first and last
  // sequence of batches; see is_placed().
  std::vector<metrics::Drop> dropped;
  Ranges missing;
  Ranges elsewhere;  // sent while the agent's server wrote another log, whose ledger accounts for them
  std::vector<std::string> other_logs;  // the identities of those logs
  Ranges expired;
  Ranges unread;   // in a part of the log before the one that was read
  Ranges waiting;  // expected, neither stored nor dropped, and not old enough to be missing
  uint64_t ticks_due = 0;
  uint64_t ticks_missed = 0;
  uint64_t ticks_stored = 0;
  uint64_t points_made = 0;
  uint64_t points_stored = 0;
  uint64_t late_ticks = 0;
  End end = End::kUnknown;
  bool conflict = false;  // another incarnation of this agent id was alive at the same time
  // How many records contradict another one with the same sequence, or claim what no agent reaches; and the first of
  // them.
  uint64_t conflicts = 0;
  std::vector<Conflict> conflict_examples = {};
  // It ended in order, but batches after its last sequence are stored.
  bool outlived_end = false;
  int32_t partition = 0;
  LedgerSums sums = {};
};

struct ReportOptions {
  std::string agent = {};  // shell pattern; empty: all
  int64_t now_ns = 0;      // wall clock
  int64_t missing_after_ns = 0;
  // Identity of the log that was read (metriclog::LogReader). Empty: unknown, and nothing is judged to be elsewhere.
  std::string log = {};
  // By agent: omits runs without a record newer than this, by the log's time.
  std::map<std::string, int64_t, std::less<>> forgotten = {};
  bool literal = false;  // `agent` is an id, not a pattern
};

// By agent, and in the order of their starts.
std::vector<LedgerRow> report(const Ledger& ledger, const ReportOptions& options);

// The number of sequences in ranges; at most UINT64_MAX.
uint64_t count(const Ranges& ranges);

uint64_t dropped_batches(const LedgerRow& row);

// False for batches of which only the number is known, and neither which ones they are nor of which run: an agent
// cannot tell this of a batch that is damaged. They are in no sum; their sequences count as whatever else is known of
// them.
inline bool is_placed(const metrics::Drop& dropped) {
  return before_batches(dropped.stage) || dropped.first_sequence != 0;
}

// Returns "unknown", "running", "stopped" or "unclean".
const char* to_string(LedgerRow::End end);
// True if it may have created batches after its last stored one.
inline bool has_unknown_tail(const LedgerRow& row) {
  return row.end == LedgerRow::End::kUnknown || row.end == LedgerRow::End::kUnclean;
}

// Returns "content" or "implausible".
const char* conflict_kind(const Conflict& conflict);
// True if another program seems to have written under the agent's id.
inline bool contradicted(const LedgerRow& row) { return row.conflicts > 0 || row.outlived_end; }

// One object, without a newline.
std::string to_json(const LedgerRow& row);

}  // namespace monitor::analysis

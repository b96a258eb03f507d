// The ledger as rows, one an incarnation, as it is judged at one moment; and their JSON form. Pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "views/ledger/ledger.h"

namespace monitor::analysis {

struct LedgerRow {
  enum class End {
    kUnknown,  // nothing has come for longer than heartbeats are apart, and no batch reports an end
    kRunning,
    kStopped,  // in order: its last batch says so, or the next run does
    kUnclean,  // killed, as the next run reports
  };

  std::string agent;
  std::string incarnation;  // 16 bytes
  std::string host;
  uint64_t first_sequence = 0;  // of what is stored; 0: nothing is
  uint64_t last_sequence = 0;
  int64_t first_time_ns = 0;
  int64_t last_time_ns = 0;
  uint64_t batches_stored = 0;
  uint64_t duplicates = 0;
  std::vector<metrics::DropTotal> dropped;  // each (stage, reason, plugin) once
  Ranges missing;
  Ranges elsewhere;  // settled while the agent's server wrote another log; that log's ledger accounts for them
  std::vector<std::string> other_logs;  // the identities of those logs
  Ranges expired;
  Ranges waiting;  // known of, and neither stored nor dropped, nor old enough to be missing
  uint64_t ticks_due = 0;
  uint64_t ticks_missed = 0;
  uint64_t ticks_stored = 0;
  uint64_t points_made = 0;
  uint64_t points_stored = 0;
  uint64_t late_ticks = 0;
  End end = End::kUnknown;
  bool conflict = false;  // another incarnation of this agent id was alive at the same time
  // Records that contradict another of the same sequence, or state what no agent reaches; and the first of them.
  uint64_t conflicts = 0;
  std::vector<Conflict> conflict_examples = {};
  // It ended in order, and batches above its last sequence are stored.
  bool outlived_end = false;
  int32_t partition = 0;
};

struct ReportOptions {
  std::string agent = {};  // shell pattern; empty: all
  int64_t now_ns = 0;      // by the wall clock
  int64_t missing_after_ns = 0;
  // Identity of the log that was read (metriclog::LogReader). Empty: not known, and nothing is judged to be elsewhere.
  std::string log = {};
  // By agent: runs of which no record is newer, by the log's time, are left out.
  std::map<std::string, int64_t, std::less<>> forgotten = {};
};

// By agent, and in the order of their beginning.
std::vector<LedgerRow> report(const Ledger& ledger, const ReportOptions& options);

// How many sequences there are in ranges; UINT64_MAX when more.
uint64_t count(const Ranges& ranges);

uint64_t dropped_batches(const LedgerRow& row);

// "unknown", "running", "stopped" or "unclean".
const char* to_string(LedgerRow::End end);
// What it made after its last stored batch is not known.
inline bool has_unknown_tail(const LedgerRow& row) {
  return row.end == LedgerRow::End::kUnknown || row.end == LedgerRow::End::kUnclean;
}

// "content" or "implausible".
const char* conflict_kind(const Conflict& conflict);
// Whether somebody else than the agent seems to have written under its name.
inline bool contradicted(const LedgerRow& row) { return row.conflicts > 0 || row.outlived_end; }

// One object, without an end of line.
std::string to_json(const LedgerRow& row);

}  // namespace monitor::analysis

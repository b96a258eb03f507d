// LogHistory: which batches were settled while the server wrote which metric log. A server names its log. If that
// changes, the ledger of the new log must learn that earlier batches are in the old log instead of lost
// (docs/payload.md, Elsewhere). Every batch carries this report until one of them is acknowledged in the new log.
//
// While the log stays the same, batches carry no report. Not thread-safe: agent's loop only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/batch.h"
#include "spool/spool.h"

namespace monitor::agent {

class LogHistory {
 public:
  // Limit on what a batch and the checkpoint carry. Beyond it the oldest ranges are forgotten, and the ledger reports
  // them as missing.
  static constexpr size_t kMaxRanges = 64;

  explicit LogHistory(std::string incarnation) : incarnation_(std::move(incarnation)) {}

  // Restores the state of an earlier process: its last log, its history, and the settled sequences of earlier
  // incarnations.
  void restore(const PendingReports& reports, const std::vector<SettledSequences>& earlier);
  // The server writes this log from now on; empty: it does not name it. If the log is a different one, calls `settled`
  // for the sequences settled so far, and returns true.
  bool named(std::string_view log, const std::function<std::vector<SettledSequences>()>& settled);

  // The report for the batch with this sequence, which carries it from then on.
  std::vector<metrics::Elsewhere> carry(uint64_t sequence);
  // The batch is acknowledged.
  void carried(uint64_t sequence);

  // For the next process, which passes both to restore().
  const std::string& log() const { return log_; }
  std::vector<metrics::Elsewhere> records() const;

 private:
  // The sequences of one incarnation that were settled while `log` was written. If the log is unknown (empty), they are
  // never reported, but not attributed to another log either.
  struct Period {
    std::string incarnation;
    std::string log;
    IntervalSet sequences;
  };

  void close(const std::string& log, const std::vector<SettledSequences>& settled);
  void add(const std::string& incarnation, const std::string& log, const IntervalSet& sequences);
  void forget_oldest();

  const std::string incarnation_;
  std::string log_;  // current log
  bool named_ = false;
  std::vector<Period> periods_;  // oldest first
  uint64_t first_carrier_ = 0;   // 0: not carried yet
  bool delivered_ = false;
};

}  // namespace monitor::agent

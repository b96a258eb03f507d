// LogHistory: which batches were settled while the server wrote which metric log. A server names its log; when that
// changes, the ledger of the new log learns that the batches before are in the old one, and not lost (docs/payload.md,
// Elsewhere). It rides in every batch until one that carries it is acknowledged in the new log.
//
// As long as the log stays the same, batches carry nothing of it. Not thread-safe: the agent's loop.
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
  // Bounds what a batch and the checkpoint carry. Beyond it the oldest is forgotten: the ledger then calls it missing.
  static constexpr size_t kMaxRanges = 64;

  explicit LogHistory(std::string incarnation) : incarnation_(std::move(incarnation)) {}

  // From an earlier process: the log at its end, what it knew, and what was settled of incarnations before this one.
  void restore(const PendingReports& reports, const std::vector<SettledSequences>& earlier);
  // The server writes this log from now on; empty: it does not say which. `settled` tells what was settled before, and
  // is called only if the log is another one. True in that case.
  bool named(std::string_view log, const std::function<std::vector<SettledSequences>()>& settled);

  // For the batch with this sequence, which carries it from now on.
  std::vector<metrics::Elsewhere> carry(uint64_t sequence);
  // That batch is acknowledged.
  void carried(uint64_t sequence);

  // For the next process: restore() takes both.
  const std::string& log() const { return log_; }
  std::vector<metrics::Elsewhere> records() const;

 private:
  // A time during which `log` was written, as far as one incarnation goes. The log is empty where it is not known: that
  // is told to nobody, but not counted for another log either.
  struct Period {
    std::string incarnation;
    std::string log;
    IntervalSet sequences;
  };

  void close(const std::string& log, const std::vector<SettledSequences>& settled);
  void add(const std::string& incarnation, const std::string& log, const IntervalSet& sequences);
  void forget_oldest();

  const std::string incarnation_;
  std::string log_;  // now
  bool named_ = false;
  std::vector<Period> periods_;  // the oldest first
  uint64_t first_carrier_ = 0;   // 0: not carried yet
  bool told_ = false;
};

}  // namespace monitor::agent

// `monitor-analysis ledger`: reads a metric log up to the end that it had at the start, prints the ledger, and then
// ends or keeps watching. Blocks the calling thread; other threads may set `stop` and wake the reader.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "metriclog/log.h"
#include "telemetry/registry.h"
#include "ui/print/output.h"
#include "views/ledger/reading.h"

namespace monitor::analysis {

struct LedgerOptions {
  enum class Format { kTable, kJson };

  Format format = Format::kTable;
  std::string agent = {};                           // shell pattern over agent ids; empty: all
  int64_t missing_after_ns = 60 * kNanosPerSecond;  // how long a gap must have been known before it counts as missing
  bool watch = false;                               // keep running, and print the ledger again after each change
  bool terminal = false;                            // draw each table over the previous one
  LedgerReadingOptions reading = {};
};

struct LedgerSummary {
  uint64_t incarnations = 0;
  uint64_t missing = 0;
  uint64_t elsewhere = 0;     // batches, in other logs
  uint64_t duplicates = 0;    // records
  uint64_t conflicts = 0;     // records that contradict others or are implausible
  uint64_t contradicted = 0;  // runs with such records, or with batches after their reported end
  uint64_t skipped = 0;       // records that could not be decoded
  uint64_t lost = 0;          // records that retention deleted before they were read
  bool complete = false;      // the end was reached and the ledger was printed
};

// kUnavailable: the log could not be reached, or delivered nothing, for `timeout_ns`. kAborted: other members
// of the group hold all partitions, or the group belongs to another kind of reader. Other errors: a permanent error of
// the reader, or a failed write to the output. An output whose reader has closed it is not an error.
Result<LedgerSummary> run_ledger(const LedgerOptions& options, metriclog::LogReader& reader, Output& output,
                                 const Clock& clock, telemetry::Registry& registry, const std::atomic<bool>& stop);

}  // namespace monitor::analysis

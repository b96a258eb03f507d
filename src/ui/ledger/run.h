// `monitor-analysis ledger`: reads a metric log up to where it ended when reading began, prints the ledger, and ends or
// goes on. It blocks the thread that calls it; `stop` may be set, and the reader woken, from any other.
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
  int64_t missing_after_ns = 60 * kNanosPerSecond;  // a gap is missing when it is known of for so long
  bool watch = false;                               // print anew when something changes
  bool terminal = false;                            // a table is drawn over the one before
  LedgerReadingOptions reading = {};
};

struct LedgerSummary {
  uint64_t incarnations = 0;
  uint64_t missing = 0;       // batches
  uint64_t elsewhere = 0;     // batches, in other logs
  uint64_t duplicates = 0;    // records
  uint64_t conflicts = 0;     // records that contradict others, or are implausible
  uint64_t contradicted = 0;  // runs of agents with such records, or that went on after their end was told
  uint64_t skipped = 0;       // records that could not be decoded
  uint64_t lost = 0;          // records that retention took before they were read
  bool complete = false;      // the end was reached, and the ledger printed
};

// Errors: kUnavailable when the log could not be reached, or gave nothing, for `timeout_ns`; kAborted when other
// members of the group have all of it, or it is another kind of reader's group; what the reader calls final; an output
// that cannot be written. Whoever reads the output may be gone: that is none.
Result<LedgerSummary> run_ledger(const LedgerOptions& options, metriclog::LogReader& reader, Output& output,
                                 const Clock& clock, telemetry::Registry& registry, const std::atomic<bool>& stop);

}  // namespace monitor::analysis

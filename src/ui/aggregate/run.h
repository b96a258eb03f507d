// `monitor-analysis aggregate`: aggregates a metric log over windows of event time, and prints the rows or appends them
// to another log. Blocks the calling thread; other threads may set `stop` and wake the reader.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "metriclog/log.h"
#include "telemetry/registry.h"
#include "ui/print/output.h"
#include "ui/print/printer.h"
#include "views/aggregate/spec.h"

namespace monitor::analysis {

struct AggregateOptions {
  AggregateSpec spec;
  Format format = Format::kTable;
  size_t header_every = 0;
  std::optional<uint64_t> count = {};      // windows to emit
  std::optional<int64_t> timeout_ns = {};  // from the first assignment on; before it, time to reach the log
  bool once = false;                       // ends at the end that the log had at the start
  bool group = false;                      // the reader is in a group, which keeps the state
  metriclog::LogWriter* output = nullptr;  // rows go to this log instead of being printed
  // Number of partitions of the log, to notice that another member of the group has some of them. Empty: the reader
  // always has them all.
  std::function<Result<size_t>()> partitions = {};
};

struct AggregateSummary {
  uint64_t rows = 0;
  uint64_t corrections = 0;
  uint64_t too_late = 0;  // points
  uint64_t ahead = 0;     // points
  uint64_t refused = 0;   // points
  uint64_t duplicates = 0;
  uint64_t skipped = 0;
  uint64_t lost = 0;
};

// Runs until the count, the timeout or the end is reached, until `stop` is set (then wake() the reader), or until the
// output's reader closes it. All of these are success. Rows are printed or confirmed before the position is stored, so
// a crash repeats rows, with the same keys, instead of losing them. Windows that are still open at the end are printed
// as incomplete, unless rows go to a log or a group keeps them.
//
// Errors: kUnavailable if the log could not be reached in time; kAborted if another member of the group holds
// partitions whose data the same rows need, or the group's snapshots belong to other windows; a permanent error of the
// reader or the output.
Result<AggregateSummary> run_aggregate(const AggregateOptions& options, metriclog::LogReader& reader, Output& output,
                                       const Clock& clock, telemetry::Registry& registry,
                                       const std::atomic<bool>& stop);

}  // namespace monitor::analysis

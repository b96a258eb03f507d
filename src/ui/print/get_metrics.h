// `monitor-analysis get-metrics`: follows a metric log and prints what comes. It blocks the thread that calls it;
// `stop` may be set, and the reader woken, from any other.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "metriclog/log.h"
#include "telemetry/registry.h"
#include "ui/print/output.h"
#include "ui/print/printer.h"

namespace monitor::analysis {

struct GetMetricsOptions {
  PrintOptions print;
  std::string agent = {};                        // shell pattern over agent ids; empty: all
  std::optional<uint64_t> count = {};            // ticks to print; one that comes in parts is one
  std::optional<int64_t> timeout_ns = {};        // from the assignment; until the assignment, to reach the log at all
  metriclog::LogWriter* dead_letters = nullptr;  // where records go that cannot be decoded, too
};

struct GetMetricsSummary {
  uint64_t ticks = 0;
  uint64_t late = 0;
  uint64_t skipped = 0;
  uint64_t duplicates = 0;
  uint64_t lost = 0;
};

// Runs until `count`, `timeout_ns` or `stop` (set it, then wake() the reader), or until whoever reads the output is
// gone: all of these are success. Where the reader has come to is stored after the output, so that a crash repeats
// rather than loses. Errors: kUnavailable when the log could not be reached for `timeout_ns`; what the reader calls
// final; an output that cannot be written.
Result<GetMetricsSummary> run_get_metrics(const GetMetricsOptions& options, metriclog::LogReader& reader,
                                          Output& output, const Clock& clock, telemetry::Registry& registry,
                                          const std::atomic<bool>& stop);

}  // namespace monitor::analysis

// `monitor-analysis get-metrics`: follows a metric log and prints its ticks. Blocks the calling thread; other threads
// may set `stop` and wake the reader.
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
  std::optional<uint64_t> count = {};            // ticks to print; a tick in several parts counts once
  std::optional<int64_t> timeout_ns = {};        // from the first assignment on; before it, time to reach the log
  metriclog::LogWriter* dead_letters = nullptr;  // receives records that cannot be decoded; may be nullptr
};

struct GetMetricsSummary {
  uint64_t ticks = 0;
  uint64_t late = 0;
  uint64_t skipped = 0;
  uint64_t duplicates = 0;
  uint64_t lost = 0;
};

// Runs until `count` or `timeout_ns` is reached, until `stop` is set (then wake() the reader), or until the output's
// reader closes it. All of these are success. The position is stored after the output is written, so that a crash
// repeats ticks instead of losing them. Errors: kUnavailable if the log could not be reached for `timeout_ns`; a
// permanent error of the reader; a failed write to the output.
Result<GetMetricsSummary> run_get_metrics(const GetMetricsOptions& options, metriclog::LogReader& reader,
                                          Output& output, const Clock& clock, telemetry::Registry& registry,
                                          const std::atomic<bool>& stop);

}  // namespace monitor::analysis

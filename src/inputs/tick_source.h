// TickSource: produces the agent's ticks. inputs/proc reads the kernel; inputs/simulated generates values. All methods
// run on the agent's loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "inputs/collector.h"

namespace monitor::agent {

// Statistics of a collector, for the agent's metrics and --once.
struct CollectorState {
  uint64_t reads = 0;
  uint64_t failures = 0;
  int64_t last_duration_ns = 0;
  std::string error;  // of the last read; empty: it succeeded
};

// A mount that does not answer.
struct StuckMount {
  std::string mount_point;
  std::string type;
  std::string source;
  int64_t since_ns = 0;  // Unix time at which it was asked

  bool operator==(const StuckMount&) const = default;
};

class TickSource {
 public:
  virtual ~TickSource() = default;
  // What is wanted from now on of a grid, by its number; nothing: the grid is no more. What did not change goes on
  // undisturbed, and what another grid has read of the same source is where a new one's rates start from: a grid that
  // gets a metric is told before the one that loses it.
  virtual void configure(uint64_t grid, const std::vector<config::MetricSelection>& selections) = 0;
  // Reads the baseline of rates, for collectors without one.
  virtual void baseline(const Timestamp& now) = 0;
  // Reads the selected metrics into `tick`. Returns the number of points whose series did not fit into the table.
  virtual uint64_t collect(uint64_t grid, const Timestamp& now, metrics::Tick& tick) = 0;
  // Discards cached series ids: the table has reassigned them.
  virtual void forget_series() {}
  // By the collector's name, over all grids.
  virtual std::map<std::string, CollectorState> states() const { return {}; }
  // Mounts that do not answer, while filesystems are collected.
  virtual std::vector<StuckMount> stuck_mounts() const { return {}; }
  // `call` is called when stuck_mounts() changes.
  virtual void set_on_stuck(std::function<void()> call) { (void)call; }
};

}  // namespace monitor::agent

// TickSource: where the agent's ticks come from. inputs/proc reads the kernel, inputs/simulated makes values up. On the
// agent's loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "inputs/collector.h"

namespace monitor::agent {

// How a collector fares, for metrics and --once.
struct CollectorState {
  uint64_t reads = 0;
  uint64_t failures = 0;
  int64_t last_duration_ns = 0;
  std::string error;  // of the last read; empty when it went well
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
  // Reads what rates start from, for collectors that have none yet.
  virtual void baseline(const Moment& now) = 0;
  // Adds what can be read now; returns how many points the series table had no room for.
  virtual uint64_t collect(uint64_t grid, const Moment& now, metrics::Tick& tick) = 0;
  // Numbers of series that it keeps are not what they were.
  virtual void forget_series() {}
  // By the collector's name, over all grids.
  virtual std::map<std::string, CollectorState> states() const { return {}; }
  // Mounts that do not answer, while filesystems are collected.
  virtual std::vector<StuckMount> stuck_mounts() const { return {}; }
  // `call` is called when stuck_mounts() changes.
  virtual void set_on_stuck(std::function<void()> call) { (void)call; }
};

}  // namespace monitor::agent

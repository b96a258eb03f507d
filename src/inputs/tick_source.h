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

// The state of a collector, for the agent's metrics and for --once.
struct CollectorState {
  uint64_t reads = 0;
  uint64_t failures = 0;
  int64_t last_duration_ns = 0;
  std::string error;  // error of the last read; empty: it succeeded
};

// A mount that does not answer.
struct StuckMount {
  std::string mount_point;
  std::string type;
  std::string source;
  int64_t since_ns = 0;  // Unix time of the unanswered query

  bool operator==(const StuckMount&) const = default;
};

class TickSource {
 public:
  virtual ~TickSource() = default;
  // Sets the selections of a schedule, by its id; an empty list removes the schedule. Unchanged selections keep their
  // baselines. A new schedule takes over the baselines of another schedule that reads the same source. Therefore, if a
  // metric moves, the agent must configure its new schedule before the old one.
  virtual void configure(uint64_t schedule, const std::vector<config::MetricSelection>& selections) = 0;
  // Reads a baseline for collectors of rates that have none.
  virtual void baseline(const Timestamp& now) = 0;
  // The first reading of a schedule: adds the values that need no second reading to `tick`, and is the baseline of the
  // rates. Returns as collect() does.
  virtual uint64_t open(uint64_t /*schedule*/, const Timestamp& now, metrics::Tick& /*tick*/) {
    baseline(now);
    return 0;
  }
  // Reads the selected metrics into `tick`. Returns the number of points whose series did not fit into the table.
  virtual uint64_t collect(uint64_t schedule, const Timestamp& now, metrics::Tick& tick) = 0;
  // Discards cached series ids. Called when the table has reassigned numbers.
  virtual void forget_series() {}
  // By collector name, summed over all schedules.
  virtual std::map<std::string, CollectorState> states() const { return {}; }
  // Mounts that do not answer, while filesystems are collected.
  virtual std::vector<StuckMount> stuck_mounts() const { return {}; }
  // `call` is called when stuck_mounts() changes.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): implementations keep it
  virtual void set_on_stuck(std::function<void()> /*call*/) {}
};

}  // namespace monitor::agent

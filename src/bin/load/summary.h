// The summary of `monitor-load stream`. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "load/fleet.h"

namespace monitor {

// What the log contains after the load.
struct Verified {
  uint64_t stored = 0;              // distinct batches
  uint64_t missing = 0;             // generated, but neither stored nor recorded as dropped
  uint64_t twice = 0;               // stored more often than they were sent
  std::vector<std::string> faults;  // one line each, up to a limit
  bool good() const { return missing == 0 && twice == 0 && faults.empty(); }
};

struct LoadSummary {
  load::FleetOptions options;
  load::FleetCounts counts;
  load::Delays delays;
  int64_t running_ns = 0;
  uint64_t acknowledged_in_time = 0;
  uint64_t waiting = 0;
  uint64_t unacknowledged = 0;
  double cpu_seconds = 0;
  std::optional<Verified> verified;
};

std::string to_table(const LoadSummary& summary);
// A JSON object without a newline.
std::string to_json(const LoadSummary& summary);

}  // namespace monitor

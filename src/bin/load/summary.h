// What `monitor-load stream` prints at its end. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "load/fleet.h"

namespace monitor {

// What the log says afterwards.
struct Verified {
  uint64_t stored = 0;              // batches, each once
  uint64_t missing = 0;             // made, and neither stored nor dropped with a record
  uint64_t twice = 0;               // stored more often than they were sent
  std::vector<std::string> faults;  // one line each; the first of them, when there are very many
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
// One object, without an end of line.
std::string to_json(const LoadSummary& summary);

}  // namespace monitor

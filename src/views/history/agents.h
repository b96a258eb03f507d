// The agents that the history knows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "views/history/database.h"

namespace monitor::analysis::history {

struct KnownAgent {
  std::string name;
  std::string host;
  std::string version;
  int64_t seen_ns = 0;   // by the log's time
  std::string log = {};  // identity of the log with its newest record; empty: an earlier version did not store it
};

// Errors: those of the disk.
Result<std::vector<KnownAgent>> read_agents(Database& db);

}  // namespace monitor::analysis::history

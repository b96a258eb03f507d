// `monitor-analysis query`: its flags, and the wiring of the query language with the history.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "bin/common/cli.h"

namespace monitor {

struct QueryFlags {
  std::string expression;
  std::string history;
  std::string at;
  int64_t last_ns = 0;
  int64_t step_ns = 0;
  int64_t timeout_ns = 30 * kNanosPerSecond;
  std::string format = "table";
};

CLI::App* declare_query(CLI::App& app, QueryFlags& flags);
int run_query(const Cli& cli, const QueryFlags& flags);

}  // namespace monitor

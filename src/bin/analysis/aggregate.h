// `monitor-analysis aggregate`: its flags, and the wiring of ui/aggregate/run.h.
#pragma once

#include <cstdint>
#include <string>

#include "bin/common/cli.h"
#include "bin/log/log_flags.h"
#include "views/aggregate/spec.h"

namespace monitor {

struct AggregateFlags {
  LogFlags log;
  std::string group;
  std::string from;
  analysis::AggregateSpec spec;
  int64_t slide_ns = 0;  // 0: as long as the window
  std::string by = "agent,label";
  std::string stats = "avg,min,max,p50,p95,p99,count";
  std::string format = "table";
  std::string output;
  uint64_t count = 0;
  int64_t timeout_ns = -1;
  bool once = false;
  std::string http = "off";
};

CLI::App* declare_aggregate(CLI::App& app, AggregateFlags& flags);
// Returns the exit status.
int run_aggregate(const Cli& cli, AggregateFlags& flags);

}  // namespace monitor

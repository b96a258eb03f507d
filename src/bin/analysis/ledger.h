// `monitor-analysis ledger`: its flags, and the wiring of ui/ledger/run.h.
#pragma once

#include <cstdint>
#include <string>

#include "bin/common/cli.h"
#include "bin/log/log_flags.h"

namespace monitor {

struct LedgerFlags {
  LogFlags log;
  std::string group;
  std::string from;
  std::string to;
  std::string agent;
  std::string format = "table";
  bool watch = false;
  int64_t missing_after_ns = 60 * kNanosPerSecond;
  int64_t timeout_ns = -1;  // -1: not set
  std::string http = "off";
};

CLI::App* declare_ledger(CLI::App& app, LedgerFlags& flags);
// Returns the exit status: 1 if a batch is missing.
int show_ledger(const Cli& cli, LedgerFlags& flags);

}  // namespace monitor

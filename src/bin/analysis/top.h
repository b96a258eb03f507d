// `monitor-analysis top`: its flags, and the wiring of ui/top/.
#pragma once

#include <string>

#include "bin/common/cli.h"
#include "bin/log/log_flags.h"

namespace monitor {

struct TopFlags {
  LogFlags log;
  std::string from = "-5m";
  std::string alerts;   // empty: alerts.db
  std::string history;  // empty: history.db
  bool no_mouse = false;
};

CLI::App* declare_top(CLI::App& app, TopFlags& flags);
// Returns the exit status: 64 if standard input or output is not a terminal, 69 if it cannot be used.
int show_top(const Cli& cli, TopFlags& flags);

}  // namespace monitor

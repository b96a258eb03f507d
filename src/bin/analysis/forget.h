// `monitor-analysis forget AGENT`: removes a retired agent from the page. It replaces the agent's entry in the
// configuration's inventory by a note with the time, which every page follows. The agent's next report replaces the
// note.
#pragma once

#include <string>

#include "bin/common/cli.h"
#include "bin/common/etcd_flags.h"
#include "bin/log/log_flags.h"

namespace monitor {

struct ForgetFlags {
  std::string agent;
  LogFlags log;
  EtcdFlags etcd;
  std::string dir;
};

CLI::App* declare_forget(CLI::App& app, ForgetFlags& flags);
// Returns the exit status: 1 if the agent is alive, or was never seen.
int forget_agent(const Cli& cli, ForgetFlags& flags);

}  // namespace monitor

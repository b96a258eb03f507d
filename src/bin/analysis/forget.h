// `monitor-analysis forget AGENT`: removes a retired agent from what the page lists. Its entry in the configuration's
// inventory becomes a note of when it was forgotten, which every page acts on; its next report replaces the note.
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
// Returns the exit status: 1 when the agent is alive, or was never seen.
int forget_agent(const Cli& cli, ForgetFlags& flags);

}  // namespace monitor

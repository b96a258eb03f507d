// `monitor-agent init`: sets up the agent of this host (bin/init/init_command.h), and waits until it delivers.
#pragma once

#include "bin/common/cli.h"
#include "bin/init/init_command.h"

namespace monitor {

// Returns the exit status of run_init(); 1 if the agent does not deliver within 30 s.
int run_agent_init(const Cli& cli, InitFlags& flags);

}  // namespace monitor

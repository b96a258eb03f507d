// `monitor-agent --list-metrics`: what this host offers, what a tick of it costs, and what is missing and why. It reads
// no configuration, writes nothing and contacts nobody.
#pragma once

#include "bin/agent_flags.h"

namespace monitor {

// Prints as --format says, and returns the exit status.
int run_list_metrics(const AgentFlags& flags);

}  // namespace monitor

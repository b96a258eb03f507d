// `monitor-agent --once`: reads the configuration and every source once, prints the values, and ends. It writes nothing
// and contacts no server.
#pragma once

#include <cstdint>
#include <string>

#include "bin/agent_flags.h"

namespace monitor {

// `data` is the data folder, `seed` that of --simulate. Returns the exit status: 74 or 75 if there is nothing to print,
// 78 for an invalid configuration.
int run_once(const AgentFlags& flags, uint64_t seed, const std::string& data);

}  // namespace monitor

// The running agent: owns its parts, connects them, and ends them in order. The main loop is in src/agent/agent.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/net/address.h"
#include "bin/agent_flags.h"
#include "bin/common/cli.h"

namespace monitor {

// Runs the agent until a signal, on this thread; signals must be blocked (block_signals()). Locks the agent's folder.
// `servers` and `seed` are from check_agent_flags(). Returns the exit status: 74 or 75 if a folder, the lock, the
// output or the HTTP address cannot be used, 78 for an invalid configuration, 74 if batches were lost because the spool
// could not be written.
int run_agent(const Cli& cli, const AgentFlags& flags, std::vector<HostPort> servers, uint64_t seed);

}  // namespace monitor

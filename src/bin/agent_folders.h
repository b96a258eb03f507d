// Checks that nobody but the agent's user and root can write to the folders that control the agent.
//
// For the start of the program, on one thread. Blocks at most 2 s for a folder that does not respond.
#pragma once

#include <string>

#include "base/result.h"
#include "bin/agent_flags.h"

namespace monitor {

// The folder of the configuration files: whoever can write there controls this agent. A folder that is missing, hangs,
// or is not a folder is not an error here: its user reports it.
Status trust_documents(const AgentFlags& flags, const std::string& data);

// Creates and checks the agent's data folders, and checks the other folders that can control it: spool, plugins and
// configuration.
Status trust_folders(const AgentFlags& flags, const std::string& data, const std::string& own_folder);

}  // namespace monitor

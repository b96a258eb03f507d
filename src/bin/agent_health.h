// `monitor-agent health`: asks the running agent of this host whether it works. For the HEALTHCHECK of a container, and
// for people and scripts.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>
#include <string>

#include "agent/health.h"
#include "base/clock.h"
#include "bin/common/cli.h"

namespace monitor {

struct HealthFlags {
  bool ready = false;
  int64_t timeout_ns = 5 * kNanosPerSecond;
};

// The state folder of the packaged service (deploy/systemd).
inline constexpr const char* kServiceData = "/var/lib/monitor-agent";

CLI::App* declare_health(CLI::App& app, HealthFlags& flags);

// The folder of an agent in a data folder.
std::string agent_folder_of(const std::string& data, const std::string& agent_id);

// Prints a line for each agent that runs with the data folder (or only for `agent_id`, unless it is empty). Without
// --data, it also looks into the state folder of the packaged service. Returns the exit status: 1 if an agent does not
// answer in time, or, with --ready, does not deliver; 69 if no agent runs.
int run_health(const Cli& cli, const HealthFlags& flags, const std::string& agent_id);

}  // namespace monitor

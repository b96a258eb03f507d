// monitor-load fleet: many agents that only follow their configuration in etcd; measures how fast a change reaches
// them.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

#include "bin/common/cli.h"
#include "bin/common/etcd_flags.h"
#include "load/config/config_fleet.h"

namespace monitor {

struct ConfigFleetFlags {
  load::ConfigFleetOptions fleet;
  EtcdFlags etcd;
  std::string format = "table";
};

CLI::App* declare_config_fleet(Cli& cli, ConfigFleetFlags& flags);
// Validates the flags and returns an error text, or an empty string.
std::string check_config_fleet(const ConfigFleetFlags& flags);
// Returns the exit status: 1 if a step did not finish in time.
int run_config_fleet(ConfigFleetFlags& flags);

// Raises the soft limit of descriptors so that each agent has one. Returns an error text, or an empty string.
std::string make_room(size_t agents);

}  // namespace monitor

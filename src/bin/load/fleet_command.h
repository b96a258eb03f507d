// monitor-load fleet: agents that only follow their configuration in etcd, and how soon a change reaches them.
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
// What is wrong with the flags; empty when nothing is.
std::string check_config_fleet(const ConfigFleetFlags& flags);
// The exit status: 1 when something was not reached in time.
int run_config_fleet(ConfigFleetFlags& flags);

// Raises the soft limit of descriptors so that each agent has one. What is wrong; empty when nothing is.
std::string make_room(size_t agents);

}  // namespace monitor

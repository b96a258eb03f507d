// The command line of monitor-agent: its options, defaults and validation. For the start of the program, on one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bin/agent_output.h"
#include "bin/agent_spool.h"
#include "bin/common/cli.h"
#include "bin/common/etcd_flags.h"
#include "grpc/resolver.h"
#include "inputs/proc/roots.h"

namespace monitor {

struct AgentFlags {
  std::string agent_id;
  std::string server = "localhost:50051";
  OutputFlags output;
  std::string config_file;
  std::string config_dir;
  std::string config_key;
  EtcdFlags etcd;
  std::vector<std::string> groups;
  agent::Roots roots;
  OptionalValue simulate;
  bool once = false;
  bool list_metrics = false;
  bool trace_plugins = false;
  std::string format = "table";
  std::string http = "off";
  std::string plugin_dir;
  std::string encoding = "v1";
  SpoolFlags spool;
};

// Declares all options. `flags` must outlive `cli`.
void declare_agent(Cli& cli, AgentFlags& flags);

// If --data is given and addresses are not, uses the addresses of the `monitor up` that runs on that data folder, and
// the configuration in it. An agent is a service, so it never searches for a running system elsewhere. Returns an error
// text, or an empty string.
std::string resolve_agent_addresses(const Cli& cli, AgentFlags& flags);

// Validates the flags and returns an error text, or an empty string. Fills in the default agent id, the servers and the
// simulation's seed.
std::string check_agent_flags(AgentFlags& flags, std::vector<HostPort>& servers, uint64_t& seed);

}  // namespace monitor

// The command line of monitor-agent: what it may say, where what it leaves out comes from, and what is wrong with it.
// For the start of the program, on one thread.
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
  bool trace_plugins = false;
  std::string format = "table";
  std::string http = "off";
  std::string plugin_dir;
  SpoolFlags spool;
};

// Declares all options. `flags` must outlive `cli`.
void declare_agent(Cli& cli, AgentFlags& flags);

// Where --data names a folder, and addresses are not named: takes those of the `monitor up` that runs on it, and the
// configuration in it. An agent is a service: it looks for nothing that it was not told of. Returns what is wrong;
// empty when nothing is.
std::string resolve_agent_addresses(const Cli& cli, AgentFlags& flags);

// What is wrong with the flags beyond their form; empty when nothing is. Fills in the agent's id where none is given,
// the servers and the seed of the simulation.
std::string check_agent_flags(AgentFlags& flags, std::vector<HostPort>& servers, uint64_t& seed);

}  // namespace monitor

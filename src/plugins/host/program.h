// What the programs that host plugins have in common: their command line and their start.
#pragma once

#include <functional>
#include <string_view>

namespace monitor::plugin_host {

struct HostProgram {
  std::string_view name;
  std::string_view version;
  std::string_view help;
  std::function<int(int channel)> serve;  // returns the exit status
};

// The command line is CHANNEL PARENT: the descriptor of the agent's channel, and the agent's process id. Serves on the
// channel of the process that started this one. Exit statuses: that of serve(); 0 for --help and --version; 64 a wrong
// command line; 69 the parent is gone.
int run_host(int argc, char** argv, const HostProgram& program);

}  // namespace monitor::plugin_host

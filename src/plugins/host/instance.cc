#include "plugins/host/instance.h"

#include <fmt/format.h>

#include <cstdio>

namespace monitor::plugin_host {

// The agent ignores messages of a removed plugin, but reads the process's output to the end.
void print_last(std::string_view plugin, std::string_view reason) {
  const std::string line = fmt::format("{}: finalize failed: {}\n", plugin, reason);
  std::fputs(line.c_str(), stderr);
}

}  // namespace monitor::plugin_host

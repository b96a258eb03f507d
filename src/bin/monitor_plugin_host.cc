// monitor-plugin-host: runs one native plugin, or all scripts, of an agent. Only the agent starts it.
#include <fmt/format.h>
#include <sys/socket.h>

#include <iostream>
#include <string_view>

#include "base/exit_codes.h"
#include "base/standard_streams.h"
#include "base/text.h"
#include "plugins/host/host.h"
#include "plugins/host/make.h"
#include "plugins/host/sandbox.h"

namespace {

constexpr std::string_view kHelp =
    "monitor-plugin-host runs plugins for monitor-agent, which starts it. Do not start it by hand.\n"
    "  monitor-plugin-host CHANNEL PARENT   the descriptor of the channel, and the agent's process id\n"
    "Plugins are described in docs/plugins.md.\n";

}  // namespace

int main(int argc, char** argv) {
  monitor::open_standard_descriptors();
  const std::string_view first = argc > 1 ? argv[1] : "";
  if (first == "--help" || first == "-h") {
    std::cout << kHelp;
    return monitor::kExitOk;
  }
  if (first == "--version") {
    std::cout << "monitor-plugin-host " MONITOR_VERSION "\n";
    return monitor::kExitOk;
  }
  const auto channel = argc == 3 ? monitor::parse_u64(argv[1]) : std::nullopt;
  const auto parent = argc == 3 ? monitor::parse_u64(argv[2]) : std::nullopt;
  int type = 0;
  socklen_t size = sizeof type;
  if (!channel || !parent || getsockopt(static_cast<int>(*channel), SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
      type != SOCK_SEQPACKET) {
    std::cerr << kHelp;
    return monitor::kExitUsage;
  }
  if (!monitor::plugin_host::follow_parent(static_cast<int>(*parent))) return monitor::kExitUnavailable;
  monitor::plugin_host::KernelSandbox sandbox(static_cast<int>(*channel));
  return monitor::plugin_host::serve(static_cast<int>(*channel), sandbox, monitor::plugin_host::make_native_or_script);
}

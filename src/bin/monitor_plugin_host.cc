// monitor-plugin-host: runs one native plugin, or all scripts, of an agent. Only the agent starts it.
#include <string_view>

#include "plugins/host/host.h"
#include "plugins/host/make.h"
#include "plugins/host/program.h"
#include "plugins/host/sandbox.h"

namespace {

constexpr std::string_view kHelp =
    "monitor-plugin-host runs plugins for monitor-agent, which starts it. Do not start it by hand.\n"
    "  monitor-plugin-host CHANNEL PARENT   the descriptor of the channel, and the agent's process id\n"
    "Plugins are described in docs/plugins.md.\n";

}  // namespace

int main(int argc, char** argv) {
  return monitor::plugin_host::run_host(
      argc, argv, {"monitor-plugin-host", MONITOR_VERSION, kHelp, [](int channel) {
                     monitor::plugin_host::KernelSandbox sandbox(channel);
                     return monitor::plugin_host::serve(channel, sandbox, monitor::plugin_host::make_native_or_script);
                   }});
}

// monitor-agent: its command line. agent_program.h runs the agent; the main loop is in src/agent/agent.h.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/descriptors.h"
#include "base/signals.h"
#include "bin/agent_flags.h"
#include "bin/agent_health.h"
#include "bin/agent_init.h"
#include "bin/agent_list_metrics.h"
#include "bin/agent_once.h"
#include "bin/agent_program.h"
#include "bin/agent_spool.h"
#include "bin/common/cli.h"
#include "inputs/proc/probe_process.h"

namespace monitor {
namespace {

int run(int argc, char** argv) {
  block_signals();
  raise_descriptor_limit();
  AgentFlags flags;
  Cli cli({"monitor-agent",
           "Collects metrics of this host and streams them to a monitor-server.",
           "  monitor-agent --agent-id agent-001 --server localhost:50051 --etcd localhost:2379\n"
           "  monitor-agent --agent-id agent-001 --config-dir /etc/monitor\n"
           "  monitor-agent --agent-id web-1 --server server.example.org:50051 --join-token-file token\n"
           "  monitor-agent --agent-id agent-001 --output file:/var/log/monitor/agent-001.jsonl\n"
           "  monitor-agent --once\n"
           "  monitor-agent --list-metrics\n"
           "  monitor-agent init --server server.example.org:50051 --token-file token --yes\n"
           "  monitor-agent health --ready\n"
           "  monitor-agent spool inspect /var/lib/monitor/agent/agent-001/spool\n"
           "  monitor-agent spool verify /var/lib/monitor/agent/agent-001/spool\n"
           "  monitor-agent --simulate=7 --agent-id test-1\n",
           {.names = {{"agent-id", "agents"}, {"group", "groups"}}}});
  declare_agent(cli, flags);
  HealthFlags health_flags;
  const CLI::App* const health = declare_health(cli.app(), health_flags);
  InitFlags init_flags;
  const CLI::App* const init = declare_init(cli.app(), init_flags);
  if (const auto code = cli.parse(argc, argv)) return *code;
  if (health->parsed() || init->parsed()) let_signals_end_process();
  if (health->parsed()) return run_health(cli, health_flags, flags.agent_id);
  if (init->parsed()) return run_agent_init(cli, init_flags);
  if (const CLI::App* const command = cli.app().get_subcommand("spool"); command->parsed()) {
    return run_spool_command(*command, flags.spool);
  }
  if (flags.list_metrics) return run_list_metrics(flags);
  std::vector<HostPort> servers;
  uint64_t seed = 1;
  if (const std::string fault = resolve_agent_addresses(cli, flags); !fault.empty()) return cli.usage_error(fault);
  if (const std::string fault = check_agent_flags(flags, servers, seed); !fault.empty()) return cli.usage_error(fault);
  return flags.once ? run_once(flags, seed, cli.data_folder()) : run_agent(cli, flags, std::move(servers), seed);
}

}  // namespace
}  // namespace monitor

int main(int argc, char** argv) {
  if (monitor::agent::is_probe_process(argc, argv)) return monitor::agent::serve_probes();
  return monitor::guard(monitor::run, argc, argv);
}

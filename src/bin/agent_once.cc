#include "bin/agent_once.h"

#include <iostream>
#include <optional>
#include <utility>

#include "agent/snapshot_command.h"
#include "base/disk.h"
#include "base/event_loop.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/worker.h"
#include "bin/agent_folders.h"
#include "bin/agent_parts.h"
#include "bin/common/cli.h"
#include "config/engine.h"
#include "plugins/hosted/plugin_hosts.h"

namespace monitor {

namespace {

// An Applier that accepts the settings and ignores them.
class Keep final : public config::Applier {
 public:
  std::optional<config::Problem> apply(const config::Settings& settings, int64_t) override {
    kept = settings;
    return std::nullopt;
  }
  config::Settings kept;
};

}  // namespace

int run_once(const AgentFlags& flags, uint64_t seed, const std::string& data) {
  let_signals_end_process();
  if (const Status trusted = trust_documents(flags, data); !trusted) {
    log_error("the configuration cannot be used", {{"reason", trusted.error()}});
    return kExitIo;
  }
  const SystemClock clock;
  EventLoop loop(clock);
  PosixDisk disk;
  metrics::SeriesTable table;
  agent::PluginHosts plugins(loop, table, agent_plugin_folder(flags, data), agent::plugin_host_program());
  plugins.set_agent_id(flags.agent_id);
  plugins.watch({});
  Keep keep;
  // --once contacts etcd only if an option names it: printing this host's values needs no service.
  auto options = agent_config_options(flags, flags.etcd.named(), agent_config_files(flags, data, ""));
  options.status = false;
  ThreadWorker worker(loop);
  auto configuration = AgentConfig::make(loop, disk, worker, std::move(options));
  if (!configuration) return report_no_etcd(configuration.error());
  config::ConfigEngine engine(loop, {flags.agent_id, flags.groups, flags.config_key}, (*configuration)->source(),
                              plugins, keep, nullptr);
  (*configuration)->start(engine, nullptr);
  while (!engine.running()) loop.run_once(-1);
  if (!engine.state().error.empty()) return kExitConfig;
  const auto source = make_tick_source(flags, seed, table, clock);
  agent::SnapshotOptions snapshot{flags.agent_id, host_name(), version(), flags.format == "json"};
  snapshot.trace = flags.trace_plugins;
  const auto text = agent::take_snapshot(snapshot, keep.kept, loop, table, *source, &plugins);
  if (!text) {
    log_error("nothing to print", {{"reason", text.error()}});
    return text.error().code() == Code::kAborted ? kExitTempFail : kExitIo;
  }
  std::cout << *text << std::flush;
  return kExitOk;
}

}  // namespace monitor

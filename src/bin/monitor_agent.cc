// monitor-agent: flags and wiring. The main loop is in src/agent/agent.h.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <memory>

#include "agent/agent.h"
#include "agent/health.h"
#include "agent/snapshot_command.h"
#include "agent/telemetry.h"
#include "base/answer_within.h"
#include "base/counted.h"
#include "base/descriptors.h"
#include "base/hex.h"
#include "base/lock_file.h"
#include "base/service_notifier.h"
#include "base/signals.h"
#include "base/stop_guard.h"
#include "base/text.h"
#include "base/trust.h"
#include "bin/agent_config.h"
#include "bin/agent_flags.h"
#include "bin/agent_health.h"
#include "bin/agent_init.h"
#include "bin/agent_output.h"
#include "bin/agent_spool.h"
#include "bin/common/cli.h"
#include "bin/common/etcd_flags.h"
#include "config/engine.h"
#include "config/file/file_source.h"
#include "config/keys.h"
#include "inputs/proc/host_source.h"
#include "inputs/proc/probe_process.h"
#include "inputs/simulated/simulated.h"
#include "plugins/hosted/plugin_hosts.h"
#include "telemetry/http/http_server.h"

namespace monitor {
namespace {

// Time for closing the spool and ending plugin hosts after the drain.
constexpr int64_t kStopGrace = 500 * kNanosPerMilli;
constexpr int64_t kFolderAnswers = 2 * kNanosPerSecond;

std::string plugin_folder(const AgentFlags& flags, const std::string& data) {
  return flags.plugin_dir.empty() ? data + "/plugins" : flags.plugin_dir;
}

std::string own_key(const AgentFlags& flags) {
  return flags.config_key.empty() ? config::agent_key(flags.agent_id) : flags.config_key;
}

config::FileSourceOptions source_options(const AgentFlags& flags, const std::string& data,
                                         const std::string& own_folder) {
  config::FileSourceOptions options;
  options.folder = flags.config_dir.empty() ? config_folder_of(data) : flags.config_dir;
  if (!flags.config_file.empty()) options.files[own_key(flags)] = flags.config_file;
  if (!own_folder.empty()) options.state_file = own_folder + "/state.json";
  return options;
}

AgentConfigOptions config_options(const AgentFlags& flags, bool etcd, config::FileSourceOptions files) {
  AgentConfigOptions options;
  options.agent_id = flags.agent_id;
  options.host = host_name();
  options.version = version();
  options.etcd = etcd;
  options.etcd_flags = flags.etcd;
  options.files = std::move(files);
  return options;
}

int report_no_etcd(const Error& reason) {
  log_error("cannot set up the connection to etcd", {{"reason", reason}});
  return kExitIo;
}

std::unique_ptr<agent::TickSource> make_source(const AgentFlags& flags, uint64_t seed, metrics::SeriesTable& table,
                                               const Clock& clock) {
  if (flags.simulate.given()) return std::make_unique<agent::SimulatedSource>(seed, table);
  auto host = std::make_unique<agent::HostSource>(flags.roots, table, clock, agent::probe_mount_apart);
  if (flags.once) host->set_patience(kNanosPerSecond);
  return host;
}

// An Applier that accepts the settings and ignores them.
class Keep final : public config::Applier {
 public:
  std::optional<config::Problem> apply(const config::Settings& settings, int64_t) override {
    kept = settings;
    return std::nullopt;
  }
  config::Settings kept;
};

// Checks that nobody else controls the folder. A folder that is missing, hangs, or is not a folder is not an error
// here: its user reports it (a spool, for example, continues in memory).
Status trust_if_there(const std::string& folder, const std::string& what) {
  const auto trusted =
      answer_within<Status>(kFolderAnswers, [folder, what] { return check_folder_trusted(folder, what); });
  if (!trusted) {
    log_warning("folder does not respond; it will be checked when it is read", {{"folder", folder}});
    return {};
  }
  return !*trusted && trusted->error().code() != Code::kPermissionDenied ? Status() : *trusted;
}

// The folder of the configuration files: whoever can write there controls this agent.
Status trust_documents(const AgentFlags& flags, const std::string& data) {
  return trust_if_there(flags.config_dir.empty() ? config_folder_of(data) : flags.config_dir,
                        "the configuration's folder");
}

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
  agent::PluginHosts plugins(loop, table, plugin_folder(flags, data), agent::plugin_host_program());
  plugins.watch({});
  Keep keep;
  // --once contacts etcd only if an option names it: printing this host's values needs no service.
  auto options = config_options(flags, flags.etcd.named(), source_options(flags, data, ""));
  options.status = false;
  ThreadWorker worker(loop);
  auto configuration = AgentConfig::make(loop, disk, worker, std::move(options));
  if (!configuration) return report_no_etcd(configuration.error());
  config::ConfigEngine engine(loop, {flags.agent_id, flags.groups, flags.config_key}, (*configuration)->source(),
                              plugins, keep, nullptr);
  (*configuration)->start(engine, nullptr);
  while (!engine.running()) loop.run_once(-1);
  if (!engine.state().error.empty()) return kExitConfig;
  const auto source = make_source(flags, seed, table, clock);
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

std::string new_incarnation(Random& random) {
  std::string incarnation(metrics::kIncarnationBytes, '\0');
  random.fill(incarnation.data(), incarnation.size());
  return incarnation;
}

// Owns the parts of the agent. Members are declared in the order of their dependencies.
class AgentProgram final : private config::Applier {
 public:
  AgentProgram(const Cli& cli, const AgentFlags& flags, std::vector<HostPort> servers, uint64_t seed,
               std::string own_folder, StopGuard& guard)
      : cli_(cli),
        guard_(guard),
        flags_(flags),
        own_folder_(std::move(own_folder)),
        source_(make_source(flags, seed, table_, clock_)),
        plugins_(loop_, table_, plugin_folder(flags, cli.data_folder()), agent::plugin_host_program()),
        agent_(loop_, {flags.agent_id, host_name(), incarnation_, version()}, table_, *source_, &plugins_),
        keeper_(flags.spool, own_folder_, incarnation_, disk_, loop_, agent_.reports()),
        output_(flags.output, loop_, random_, keeper_.spool(), std::move(servers),
                {flags.agent_id, incarnation_, version(), host_name()}, own_folder_) {
    agent_.attach(keeper_.spool(), [this] { output_->wake(); });
  }

  // Runs until a signal; returns the exit status.
  int run() {
    if (const Status opened = output_.open(); !opened) {
      log_error("cannot start; the output cannot be used",
                {{"output", flags_.output.output}, {"reason", opened.error()}});
      // A token or certificate that is missing or wrong; a file output fails for reasons of the disk.
      const bool to_file = flags_.output.output.starts_with("file:");
      if (!to_file && opened.error().code() == Code::kFailedPrecondition) return kExitConfig;
      return opened.error().code() == Code::kAborted ? exit_code_for(opened.error()) : kExitIo;
    }
    if (const Status opened = keeper_.open([this] { output_->wake(); }); !opened) {
      log_error("cannot start; choose another folder with --spool", {{"reason", opened.error()}});
      return exit_code_for(opened.error());
    }
    if (const Status configured = configure(); !configured) return report_no_etcd(configured.error());
    if (const Status serving = serve_pages(); !serving) {
      log_error("cannot serve HTTP; choose another address with --http", {{"reason", serving.error()}});
      return exit_code_for(serving.error());
    }
    const Signals signals(loop_, [this](int) { stop(); }, [this](int) { config_->rescan(); });
    log_info("agent started", {{"agent", flags_.agent_id},
                               {"incarnation", hex(incarnation_)},
                               {"version", version()},
                               {"data", own_folder_}});
    plugins_.watch([this] {
      engine_->reevaluate();
      config_->changed();
    });
    config_->start(*engine_, [this](config::AgentStatus& status, config::AgentInventory& inventory) {
      status.plugins = agent_.plugins();
      for (const agent::StuckMount& one : source_->stuck_mounts()) {
        status.mounts.push_back({one.mount_point, one.type, one.source, one.since_ns});
      }
      status.series_full = agent_.series_full();
      status.warning = output_->state().warning;
      inventory.plugins = plugins_.names_in_folder();
    });
    agent_.set_on_plugin_change([this] { config_->changed(); });
    output_->set_on_warning([this] { config_->changed(); });
    source_->set_on_stuck([this] { config_->changed(); });
    output_->start();
    service_.set_status([this] { return status_line(); });
    service_.ready();
    loop_.run();
    keeper_.close();
    log_info("agent stopped", {{"batches", agent_.stats().batches}, {"unsent", keeper_.spool().batches()}});
    // If the spool on disk could not be written, the batches that are only in memory are now lost.
    return keeper_.on_disk() && keeper_.spool().stats().memory_batches > 0 ? kExitIo : kExitOk;
  }

 private:
  Status configure() {
    const bool files = !flags_.config_file.empty() || !flags_.config_dir.empty();
    auto made = AgentConfig::make(
        loop_, disk_, writer_, config_options(flags_, !files, source_options(flags_, cli_.data_folder(), own_folder_)));
    if (!made) return made.error();
    config_ = std::move(*made);
    engine_.emplace(loop_, config::AgentIdentity{flags_.agent_id, flags_.groups, flags_.config_key}, config_->source(),
                    plugins_, static_cast<config::Applier&>(*this), &last_good_);
    return {};
  }

  // Only the agent can reject settings, so it goes first.
  std::optional<config::Problem> apply(const config::Settings& settings, int64_t revision) override {
    if (auto problem = agent_.apply(settings, revision)) return problem;
    log_set_level(settings.log_level.value_or(cli_.log_level()));
    keeper_.set_limits(settings.spool_max_bytes, settings.spool_drops_newest);
    return std::nullopt;
  }

  // Answers `monitor-agent health`, and serves the agent's own HTTP pages, if enabled.
  Status serve_pages() {
    telemetry_.emplace(agent::AgentParts{agent_, keeper_.spool(), *output_, *engine_, *source_});
    auto health = agent::HealthSocket::open(loop_, own_folder_, [this] {
      return agent::Health{engine_->running() && output_->state().ready, status_line()};
    });
    if (health) {
      health_ = std::move(*health);
    } else {
      log_warning("`monitor-agent health` will not find this agent", {{"reason", health.error()}});
    }
    if (flags_.http == "off") return {};
    const auto address = telemetry::parse_http_address(flags_.http);
    if (!address) return address.error();
    auto started = telemetry::HttpServer::start(loop_, *address, telemetry_->pages());
    if (!started) return started.error();
    http_ = std::move(*started);
    log_info("listening", {{"service", "http"}, {"address", fmt::format("{}:{}", address->address, http_->port())}});
    return {};
  }

  // For `systemctl status`.
  std::string status_line() {
    const auto state = output_->state();
    const std::string& problem = state.problem.empty() ? state.warning : state.problem;
    return fmt::format("agent {}: {}{}{}; {} in the spool", flags_.agent_id,
                       state.ready ? "delivering" : "not delivering", problem.empty() ? "" : ": ", problem,
                       counted(keeper_.spool().batches(), "batch waits", "batches wait"));
  }

  void stop() {
    guard_.arm();
    service_.stopping();
    log_info("stopping; sending the remaining batches", {{"waiting", keeper_.spool().batches()}});
    loop_.call_after(cli_.drain_timeout_ns(), [this] { loop_.stop(); });
    // Deletes the status even if the server accepts no more batches; the inventory then records no clean stop.
    loop_.call_after(cli_.drain_timeout_ns() / 2, [this] { leave(false); });
    const auto sent = [this] {
      leave(keeper_.spool().batches() == 0);
      one_ended();
    };
    agent_.stop([this, sent] { output_->drain(sent); });
  }

  // Deletes the status. `stopped`: the spool is empty.
  void leave(bool stopped) {
    if (!std::exchange(leaving_, true)) config_->stop(stopped, [this] { one_ended(); });
  }

  void one_ended() {
    if (--ending_ == 0) loop_.stop();
  }

  const Cli& cli_;
  StopGuard& guard_;
  const AgentFlags& flags_;
  std::string own_folder_;
  SystemClock clock_;
  EventLoop loop_{clock_};
  PosixDisk disk_;
  SystemRandom random_;
  std::string incarnation_ = new_incarnation(random_);
  metrics::SeriesTable table_;
  std::unique_ptr<agent::TickSource> source_;
  agent::PluginHosts plugins_;
  agent::Agent agent_;
  AgentSpool keeper_;
  AgentOutput output_;
  ThreadWorker writer_{loop_};  // writes the last good configuration
  config::LastGood last_good_{disk_, writer_, own_folder_ + "/last-good.json"};
  std::unique_ptr<AgentConfig> config_;
  std::optional<config::ConfigEngine> engine_;
  std::optional<agent::AgentTelemetry> telemetry_;
  std::unique_ptr<telemetry::HttpServer> http_;
  std::unique_ptr<agent::HealthSocket> health_;
  ServiceNotifier service_{loop_, ServiceEnvironment::read()};
  bool leaving_ = false;
  int ending_ = 2;  // parts that a stop waits for: the output and the configuration
};

// Creates and checks the agent's data folders, and checks the other folders that can control it.
Status trust_folders(const AgentFlags& flags, const std::string& data, const std::string& own_folder) {
  PosixDisk disk;
  for (const std::string& folder : {data, data + "/agent", own_folder}) {
    if (Status made = make_trusted_folder(disk, folder, "the data folder"); !made) return made;
  }
  const std::string spool = flags.spool.where.empty() ? own_folder + "/spool" : flags.spool.where;
  for (const auto& [folder, what] :
       {std::pair{spool, "the spool's folder"}, {data + "/plugins", "the plugins' folder"}}) {
    if (const Status trusted = trust_if_there(folder, what); folder != "memory" && !trusted) return trusted;
  }
  if (const Status trusted = trust_documents(flags, data); !trusted) return trusted;
  if (flags.plugin_dir.empty()) return {};
  if (const Status trusted = trust_if_there(flags.plugin_dir, "the plugins' folder"); !trusted) {
    log_warning("the plugin folder is writable by others", {{"reason", trusted.error()}});
  }
  return {};
}

int run_agent(const Cli& cli, const AgentFlags& flags, std::vector<HostPort> servers, uint64_t seed) {
  StopGuard guard("monitor-agent", cli.drain_timeout_ns() + kStopGrace);
  const std::string own_folder = cli.data_folder() + "/agent/" + flags.agent_id;
  if (const Status trusted = trust_folders(flags, cli.data_folder(), own_folder); !trusted) {
    log_error("cannot use the data folder; choose another one with --data", {{"reason", trusted.error()}});
    return kExitIo;
  }
  const auto lock = LockFile::acquire(own_folder + "/lock", "agent " + flags.agent_id);
  if (!lock) {
    log_error("cannot start; choose another --agent-id or --data", {{"reason", lock.error()}});
    return exit_code_for(lock.error());
  }
  return AgentProgram(cli, flags, std::move(servers), seed, own_folder, guard).run();
}

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

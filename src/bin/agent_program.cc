#include "bin/agent_program.h"

#include <fmt/format.h>
#include <time.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "agent/agent.h"
#include "agent/health.h"
#include "agent/telemetry.h"
#include "agent/tick_timers.h"
#include "base/counted.h"
#include "base/hex.h"
#include "base/lock_file.h"
#include "base/service_notifier.h"
#include "base/signals.h"
#include "base/stop_guard.h"
#include "bin/agent_config.h"
#include "bin/agent_folders.h"
#include "bin/agent_memory.h"
#include "bin/agent_output.h"
#include "bin/agent_parts.h"
#include "bin/agent_spool.h"
#include "config/engine.h"
#include "plugins/hosted/plugin_hosts.h"
#include "telemetry/http/http_server.h"

namespace monitor {

namespace {

// Time for closing the spool and ending plugin hosts after the drain.
constexpr int64_t kStopGrace = 500 * kNanosPerMilli;

// Half of it is random: that is enough for the runs of one agent, and payload v2 leaves out the other half.
std::string new_incarnation(Random& random) {
  std::string incarnation(metrics::kIncarnationBytes, '\0');
  random.fill(incarnation.data(), incarnation.size() / 2);
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
        source_(make_tick_source(flags, seed, table_, clock_)),
        plugins_(loop_, table_, agent_plugin_folder(flags, cli.data_folder()), agent::plugin_host_program()),
        agent_(loop_, {flags.agent_id, host_name(), incarnation_, version(), flags.encoding == "v2" ? 2 : 1}, table_,
               *source_, &plugins_),
        keeper_(flags.spool, own_folder_, incarnation_, disk_, loop_, calm_, agent_.reports()),
        output_(flags.output, loop_, random_, keeper_.spool(), std::move(servers),
                {flags.agent_id, incarnation_, version(), host_name()}, own_folder_) {
    plugins_.set_agent_id(flags.agent_id);
    agent_.attach(keeper_.spool(), [this] {
      output_->wake();
      memory_.look(clock_.mono_ns());
    });
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
      const agent::CertificateValidity certificate = output_->state().certificate;
      status.certificate_from_ns = certificate.from_s * kNanosPerSecond;
      status.certificate_expires_ns = certificate.until_s * kNanosPerSecond;
      timespec used{};
      if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0) {
        status.cpu_seconds = static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / kNanosPerSecond;
      }
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
    AgentConfigOptions options =
        agent_config_options(flags_, !files, agent_config_files(flags_, cli_.data_folder(), own_folder_));
    options.files.calm = &calm_;
    options.calm = &prompt_;
    auto made = AgentConfig::make(loop_, disk_, writer_, std::move(options));
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
    memory_.disturbed(clock_.mono_ns());
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
  // For what need not wake the agent between two ticks.
  const std::function<int64_t(int64_t)> tick_after_ = [this](int64_t mono_ns) { return agent_.tick_after(mono_ns); };
  agent::TickTimers calm_{loop_, agent::TickTimers::Late::kWhole, tick_after_};
  agent::TickTimers prompt_{loop_, agent::TickTimers::Late::kQuarter, tick_after_};
  AgentSpool keeper_;
  AgentOutput output_;
  AgentMemory memory_;
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

}  // namespace

int run_agent(const Cli& cli, const AgentFlags& flags, std::vector<HostPort> servers, uint64_t seed) {
  share_agent_heap();
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

}  // namespace monitor

// monitor-load: flags and wiring of src/load/, and of the ledger that verifies afterwards what the log contains.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <iostream>
#include <memory>

#include "base/descriptors.h"
#include "base/random.h"
#include "base/signals.h"
#include "base/text.h"
#include "base/time_format.h"
#include "bin/analysis/observability_server.h"
#include "bin/common/cli.h"
#include "bin/load/fleet_command.h"
#include "bin/load/summary.h"
#include "bin/load/verify.h"
#include "bin/log/log_flags.h"
#include "grpc/tls.h"
#include "load/fleet.h"

namespace monitor {
namespace {

constexpr int64_t kSayEvery = 2 * kNanosPerSecond;
// Clocks of the log and this host may differ by this much, so reading starts this long before the load.
constexpr int64_t kBeforeStart = 600 * kNanosPerSecond;
constexpr size_t kMaxPoints = 2000;  // a batch, including its series, is limited to 256 KiB

struct Flags {
  load::FleetOptions fleet;
  std::string server = "localhost:50051";
  std::string tls_ca;
  std::string tls_server_name;
  std::string tls_cert;
  std::string tls_key;
  std::string format = "table";
  bool verify = false;
  LogFlags log;
};

const CLI::App* declare(Cli& cli, Flags& flags) {
  CLI::App* const app = cli.app().add_subcommand(
      "stream", "Simulate many agents for a time, and report how fast the server acknowledges their batches");
  load::FleetOptions& fleet = flags.fleet;
  app->add_option("--server", flags.server, "Server to send to: HOST:PORT")->type_name("HOST:PORT,...");
  app->add_option("--agents", fleet.agents, "Number of agents, each with its own connection")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  add_seconds(*app, "--interval", fleet.interval_ns, "Time between two batches of an agent")->default_str("1s");
  app->add_option("--points", fleet.points, "Points per batch")
      ->type_name("N")
      ->check(CLI::Range(size_t{1}, kMaxPoints));
  add_duration(*app, "--duration", fleet.duration_ns, "Duration of the load after all agents have connected")
      ->default_str("60s");
  add_duration(*app, "--ramp", fleet.ramp_ns, "Time over which the agents connect; 0: as fast as they can")
      ->default_str("0s");
  app->add_option("--window", fleet.window, "Maximum number of unacknowledged batches per agent")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000));
  app->add_option("--prefix", fleet.prefix, "Agents are named PREFIX-1, PREFIX-2, ...")->type_name("PREFIX");
  app->add_option("--seed", fleet.seed, "Seed of the values")->type_name("N");
  app->add_option("--tls-ca", flags.tls_ca,
                  "Use TLS; the server's certificate must be signed by a CA in this file (PEM)")
      ->type_name("FILE");
  app->add_option("--tls-server-name", flags.tls_server_name,
                  "Name expected in the server's certificate (default: the host)")
      ->type_name("NAME");
  auto* const cert = app->add_option("--tls-cert", flags.tls_cert,
                                     "Certificate of all agents (PEM); the server needs --identity-from none")
                         ->type_name("FILE")
                         ->needs(app->get_option("--tls-ca"));
  auto* const key = app->add_option("--tls-key", flags.tls_key, "The certificate's private key (PEM)")
                        ->type_name("FILE")
                        ->needs(cert);
  cert->needs(key);
  app->add_option("--format", flags.format, "Output of the summary: table, or json (one object)")
      ->check(CLI::IsMember({"table", "json"}));
  app->add_flag("--verify", flags.verify,
                "Read the log afterwards; exit with 1 if a batch is missing, or stored more often than it was sent");
  add_log_options(*app, flags.log);
  cli.add_drain_option();
  return app;
}

// Without --server, uses the server of a running `monitor up`.
std::string resolve_server(const Cli& cli, Flags& flags) {
  const CLI::Option* const named = cli.subcommand_option("stream", "--server");
  if (named != nullptr && named->count() > 0) return "";
  const auto running = cli.running();
  if (!running) return running.error().message();
  if (*running == nullptr || (*running)->server.empty()) return "";
  flags.server = (*running)->server;
  log_info("`monitor up` is running; using its server", {{"server", flags.server}, {"process", (*running)->pid}});
  return "";
}

std::string check(const Cli& cli, Flags& flags) {
  load::FleetOptions& fleet = flags.fleet;
  if (std::string fault = resolve_server(cli, flags); !fault.empty()) return fault;
  const auto server = parse_host_port(flags.server, 50051);
  if (!server) return "--server: " + server.error().message();
  fleet.server = *server;
  fleet.drain_ns = cli.drain_timeout_ns();
  if (fleet.interval_ns < kNanosPerMilli) {
    return fmt::format("--interval: got {}, expected 1ms or more", format_duration(fleet.interval_ns));
  }
  if (fleet.duration_ns == 0) return "--duration: got 0, expected more than 0";
  const std::string longest = fmt::format("{}-{}", fleet.prefix, fleet.agents);
  if (fleet.prefix.empty() || !valid_name(longest)) {
    return fmt::format(
        "--prefix: got {}, expected letters, digits, '.', '_' and '-', so that an agent's id has at most "
        "128",
        json_quote(fleet.prefix));
  }
  if (flags.verify) {
    if (std::string fault = resolve_log(cli, flags.log); !fault.empty()) return fault;
    if (std::string fault = check_log_flags(flags.log); !fault.empty()) return fault;
  }
  return make_room(fleet.agents);
}

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / kNanosPerSecond;
}

struct Loaded {
  LoadSummary summary;
  std::vector<load::AgentOutcome> outcomes;
};

void say_progress(const load::Fleet& fleet) {
  const load::FleetCounts& counts = fleet.counts();
  log_info(fleet.phase() == load::Fleet::Phase::kConnecting ? "connecting" : "loading",
           {{"connected", counts.connected},
            {"due", counts.due},
            {"acknowledged", counts.acknowledged},
            {"waiting", fleet.waiting()},
            {"failures", counts.failures},
            {"p99_ms", fleet.delays().percentile_ns(0.99) / kNanosPerMilli}});
}

Loaded load_server(const Flags& flags, const Clock& clock) {
  EventLoop loop(clock);
  SystemRandom random;
  load::Fleet fleet(loop, random, flags.fleet);
  const Signals signals(loop, [&](int) { fleet.stop(); });
  Timers::TimerId timer = 0;
  const std::function<void()> say = [&] {
    say_progress(fleet);
    timer = loop.call_after(kSayEvery, say);
  };
  timer = loop.call_after(kSayEvery, say);
  fleet.start([&] { loop.stop(); });
  loop.run();
  loop.cancel_timer(timer);
  LoadSummary summary{.options = flags.fleet, .counts = fleet.counts(), .delays = fleet.delays()};
  summary.running_ns = fleet.running_ns();
  summary.acknowledged_in_time = fleet.acknowledged_in_time();
  summary.waiting = fleet.waiting();
  summary.unacknowledged = fleet.unacknowledged();
  summary.cpu_seconds = cpu_seconds();
  return {std::move(summary), fleet.outcomes()};
}

// Returns the exit status if the log cannot be read, else 0.
int verify_log(const Cli& cli, const Flags& flags, const Clock& clock, int64_t since_ns, Loaded& loaded) {
  auto reader = open_log_reader(flags.log, {.group = "", .start = {metriclog::StartAt::Kind::kTime, since_ns}});
  if (!reader) {
    log_error("cannot read the metric log", {{"reason", reader.error()}});
    return exit_code_for_log(flags.log, reader.error());
  }
  ObservabilityServer observability(clock, **reader, cli.drain_timeout_ns());
  observability.start();
  auto verified = verify(loaded.outcomes, **reader, clock, observability.stop());
  if (!verified) {
    log_error("cannot verify", {{"log", flags.log.address()}, {"reason", verified.error()}});
    return verified.error().code() == Code::kCancelled ? kExitTempFail : exit_code_for_log(flags.log, verified.error());
  }
  loaded.summary.verified = std::move(*verified);
  return kExitOk;
}

int stream(const Cli& cli, Flags& flags) {
  if (const std::string fault = check(cli, flags); !fault.empty()) return cli.usage_error(fault);
  if (!flags.tls_ca.empty()) {
    const std::string& name = flags.tls_server_name.empty() ? flags.fleet.server.host : flags.tls_server_name;
    auto tls = grpc::TlsClientContext::load({.ca_file = flags.tls_ca,
                                             .server_name = name,
                                             .certificate_file = flags.tls_cert,
                                             .key_file = flags.tls_key,
                                             .crl_file = ""});
    if (!tls) {
      log_error("cannot set up TLS", {{"reason", tls.error()}});
      return exit_code_for(tls.error());
    }
    flags.fleet.security = std::move(*tls);
  }
  const SystemClock clock;
  const int64_t since = clock.wall_ns() - kBeforeStart;
  Loaded loaded = load_server(flags, clock);
  const bool reached = loaded.summary.counts.connects > 0;
  int status = reached ? kExitOk : kExitUnavailable;
  if (!reached) log_error("no agent reached the server", {{"reason", loaded.summary.counts.first_failure}});
  if (reached && flags.verify) status = verify_log(cli, flags, clock, since, loaded);
  const std::string text = flags.format == "json" ? to_json(loaded.summary) + "\n" : to_table(loaded.summary);
  std::cout << text << std::flush;
  if (status != kExitOk) return status;
  return loaded.summary.verified && !loaded.summary.verified->good() ? kExitNegative : kExitOk;
}

int run(int argc, char** argv) {
  raise_descriptor_limit();
  block_signals();
  Flags flags;
  ConfigFleetFlags fleet_flags;
  Cli cli({"monitor-load", "Simulates many agents to load a monitor-server or an etcd.",
           "  monitor-load stream --agents 1000 --duration 60s --server localhost:50051\n"
           "  monitor-load stream --agents 100 --interval 100ms --verify --log sqlite:/var/lib/monitor/log.db --format "
           "json\n"
           "  monitor-load fleet --agents 10000 --etcd localhost:2379\n"});
  cli.app().require_subcommand(1);
  const CLI::App* const app = declare(cli, flags);
  const CLI::App* const fleet = declare_config_fleet(cli, fleet_flags);
  if (const auto code = cli.parse(argc, argv)) return *code;
  if (app->parsed()) return stream(cli, flags);
  if (!fleet->parsed()) return kExitUsage;
  if (const std::string fault = check_config_fleet(fleet_flags); !fault.empty()) return cli.usage_error(fault);
  return run_config_fleet(fleet_flags);
}

}  // namespace
}  // namespace monitor

int main(int argc, char** argv) { return monitor::guard(monitor::run, argc, argv); }

#include "bin/load/fleet_command.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include <algorithm>
#include <iostream>

#include "base/counted.h"
#include "base/descriptors.h"
#include "base/disk.h"
#include "base/log.h"
#include "base/random.h"
#include "base/signals.h"
#include "base/text.h"
#include "base/time_format.h"
#include "config/schema.h"
#include "plugins/builtin/registry.h"

namespace monitor {

namespace {

using nlohmann::ordered_json;

// Descriptors that are not for agents: the loop, the log, libraries.
constexpr size_t kOwnDescriptors = 64;

double millis(int64_t ns) { return static_cast<double>(ns) / kNanosPerMilli; }
double seconds(int64_t ns) { return static_cast<double>(ns) / kNanosPerSecond; }

ordered_json delays_of(const load::Delays& delays) {
  return {{"p50_ms", millis(delays.percentile_ns(0.5))},
          {"p99_ms", millis(delays.percentile_ns(0.99))},
          {"max_ms", millis(delays.max_ns())}};
}

struct Usage {
  double cpu_seconds = 0;
  long peak_kib = 0;
};

Usage usage() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {of(used.ru_utime) + of(used.ru_stime), used.ru_maxrss};
}

std::string to_json(const load::ConfigFleetOptions& options, const load::ConfigFleetResult& result) {
  ordered_json rounds = ordered_json::array();
  for (const load::ConfigRound& round : result.rounds) {
    ordered_json one = {{"applied", round.applied}};
    one.update(delays_of(round.delays));
    one["told_seconds"] = seconds(round.all_ns);
    rounds.push_back(std::move(one));
  }
  const Usage used = usage();
  ordered_json json = {{"agents", options.agents},        {"connected_seconds", seconds(result.connected_ns)},
                       {"rounds", std::move(rounds)},     {"status_puts", result.status_puts},
                       {"cpu_seconds", used.cpu_seconds}, {"peak_rss_bytes", int64_t{used.peak_kib} * 1024}};
  if (options.restart) {
    ordered_json back = {{"agents", result.back.returned}};
    back.update(delays_of(result.back.delays));
    back["by_second"] = result.back.by_second;
    json["returned"] = std::move(back);
  }
  json["failure"] = result.failure;
  return json.dump();
}

std::string to_table(const load::ConfigFleetOptions& options, const load::ConfigFleetResult& result) {
  std::string text =
      fmt::format("{} watched after {:.1f} s\n", counted(options.agents, "agent"), seconds(result.connected_ns));
  const auto row = [&](const std::string& what, size_t count, const load::Delays& delays) {
    text += fmt::format("{:28} {:>7} agents  p50 {:>9.1f} ms  p99 {:>9.1f} ms  max {:>9.1f} ms\n", what, count,
                        millis(delays.percentile_ns(0.5)), millis(delays.percentile_ns(0.99)), millis(delays.max_ns()));
  };
  for (size_t i = 0; i < result.rounds.size(); ++i) {
    const load::ConfigRound& round = result.rounds[i];
    row(fmt::format("change {}: put to applied", i + 1), round.applied, round.delays);
    if (round.all_ns > 0)
      text += fmt::format("{:28} {:.1f} s until every status showed it\n", "", seconds(round.all_ns));
  }
  if (options.restart) {
    row("back after etcd's restart", result.back.returned, result.back.delays);
    constexpr size_t kBar = 50;
    const auto& counts = result.back.by_second;
    const size_t most = counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
    for (size_t i = 0; i < counts.size(); ++i) {
      text += fmt::format("{:>4} s {:>7} {}\n", i, counts[i],
                          std::string(counts[i] * kBar / std::max<size_t>(most, 1), '#'));
    }
  }
  const Usage used = usage();
  text += fmt::format("statuses written {}; this process: {:.1f} s of CPU, {} MiB at most\n", result.status_puts,
                      used.cpu_seconds, used.peak_kib / 1024);
  if (!result.failure.empty()) text += result.failure + "\n";
  return text;
}

}  // namespace

std::string make_room(size_t agents) {
  const size_t limit = raise_descriptor_limit();
  if (limit >= agents + kOwnDescriptors) return "";
  return fmt::format(
      "--agents: got {}; each needs a descriptor, and the limit of {} (RLIMIT_NOFILE) is enough for {}; raise "
      "the limit (ulimit -n), or start several processes",
      agents, limit, limit - std::min(limit, kOwnDescriptors));
}

CLI::App* declare_config_fleet(Cli& cli, ConfigFleetFlags& flags) {
  CLI::App* const app = cli.app().add_subcommand(
      "fleet", "Simulate many agents that follow the configuration in etcd, and report how fast a change reaches them");
  load::ConfigFleetOptions& fleet = flags.fleet;
  app->add_option("--agents", fleet.agents, "Number of agents, each with its own connection")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  app->add_option("--changes", fleet.rounds, "Number of changes of the defaults")
      ->type_name("N")
      ->check(CLI::Range(0, 10'000));
  add_duration(*app, "--ramp", fleet.ramp_ns, "Time over which the agents start; 0: at once")->default_str("10s");
  add_duration(*app, "--limit", fleet.limit_ns, "Time limit for each step")->default_str("60s");
  app->add_flag("--restart", fleet.restart,
                "At the end, wait for an outage of etcd and report how fast the agents return");
  app->add_option("--group", fleet.group, "The group of all agents (default: none)")->type_name("GROUP");
  app->add_flag("--stay", fleet.stay, "At the end, keep the agents running until stopped, for rollouts")
      ->excludes("--restart");
  app->add_option("--prefix", fleet.prefix, "Agents are named PREFIX-1, PREFIX-2, ...")->type_name("PREFIX");
  app->add_option("--format", flags.format, "Output of the summary: table, or json (one object)")
      ->check(CLI::IsMember({"table", "json"}));
  add_etcd_options(*app, flags.etcd);
  return app;
}

std::string check_config_fleet(const ConfigFleetFlags& flags) {
  if (std::string fault = check_etcd_flags(flags.etcd); !fault.empty()) return fault;
  if (!valid_name(fmt::format("{}-{}", flags.fleet.prefix, flags.fleet.agents))) {
    return fmt::format("--prefix: got {}, expected letters, digits, '.', '_' and '-', at most 128 with the number",
                       json_quote(flags.fleet.prefix));
  }
  if (!flags.fleet.group.empty() && !valid_name(flags.fleet.group)) {
    return fmt::format("--group: got {}, expected 1 to 128 of [A-Za-z0-9._-]", json_quote(flags.fleet.group));
  }
  return make_room(flags.fleet.agents);
}

int run_config_fleet(ConfigFleetFlags& flags) {
  auto account = etcd_account(flags.etcd);
  if (!account) {
    log_error("cannot reach etcd", {{"reason", account.error()}});
    return kExitIo;
  }
  flags.fleet.etcd = std::move(account->address);
  flags.fleet.credentials = std::move(account->credentials);
  const SystemClock clock;
  EventLoop loop(clock);
  SystemRandom random;
  PosixDisk disk;
  const agent::BuiltinCatalog catalog;
  load::ConfigFleet fleet(loop, random, disk, catalog, flags.fleet);
  const Signals signals(loop, [&](int) { fleet.stop(); });
  if (Status begun = fleet.start([&] { loop.stop(); }); !begun) {
    log_error("cannot reach etcd", {{"reason", begun.error()}});
    return kExitIo;
  }
  loop.run();
  const load::ConfigFleetResult& result = fleet.result();
  std::cout << (flags.format == "json" ? to_json(flags.fleet, result) + "\n" : to_table(flags.fleet, result))
            << std::flush;
  if (!result.failure.empty()) log_error("fleet ended", {{"reason", result.failure}});
  if (result.failure.empty()) return kExitOk;
  return result.connected_ns == 0 ? kExitUnavailable : kExitNegative;
}

}  // namespace monitor

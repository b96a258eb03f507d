// monitor-analysis: flags and wiring. The commands are in src/ui/ (get-metrics: print/get_metrics.h) and bin/analysis/.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <set>

#include "base/descriptors.h"
#include "base/signals.h"
#include "base/text.h"
#include "base/time_format.h"
#include "bin/analysis/account_commands.h"
#include "bin/analysis/aggregate.h"
#include "bin/analysis/alert_commands.h"
#include "bin/analysis/forget.h"
#include "bin/analysis/ledger.h"
#include "bin/analysis/log_command.h"
#include "bin/analysis/log_settings.h"
#include "bin/analysis/query.h"
#include "bin/analysis/rules_command.h"
#include "bin/analysis/serve.h"
#include "bin/analysis/top.h"
#include "bin/common/cli.h"
#include "bin/log/log_flags.h"
#include "config/schema.h"
#include "metriclog/start_at.h"
#include "ui/print/get_metrics.h"
#include "ui/terminal/terminal.h"

namespace monitor {
namespace {

constexpr size_t kHeaderEvery = 24;  // rows; the height of a terminal

struct Flags {
  LogFlags log;
  std::string group;
  std::string from;
  std::string agent;
  std::string metric;
  std::string format = "table";
  uint64_t count = 0;
  int64_t timeout_ns = -1;
  std::string http = "off";
  std::string dead_letter;
};

CLI::App* declare(Cli& cli, Flags& flags) {
  CLI::App* const get = cli.app().add_subcommand("get-metrics", "Follow the metric log and print its ticks");
  add_log_options(*get, flags.log);
  get->add_option("--group-id", flags.group,
                  "Consumer group: continue where it stopped, and share the work among its members")
      ->type_name("GROUP");
  get->add_option("--from", flags.from,
                  "Where to start: latest, earliest, a time (2026-11-22T12:00:00Z) or an age by the log's time (-10m) "
                  "(default: where the group stopped, else latest)")
      ->type_name("POSITION");
  add_seconds(*get, "--timeout", flags.timeout_ns, "Exit after this time: seconds, or with a unit (default: never)");
  get->add_option("--count", flags.count, "Exit after this many ticks (0: never)")->type_name("N");
  get->add_option("--agent", flags.agent, "Only agents that match this pattern, with * and ?")->type_name("PATTERN");
  get->add_option(
         "--metric", flags.metric,
         "Only these metrics: cpu (system.cpu and everything below it), or a pattern for the whole name or series: "
         "*{*=read}, with * and ?")
      ->type_name("PATTERN");
  get->add_option("--format", flags.format, "table, json (one object per line) or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  get->add_option("--dead-letter", flags.dead_letter,
                  "Copy records that cannot be decoded to this topic of the same Kafka")
      ->type_name("TOPIC");
  get->add_option("--http", flags.http, "Serve /metrics, /healthz and /readyz on ADDR:PORT, or off")
      ->type_name("ADDR:PORT|off");
  return get;
}

analysis::GetMetricsOptions print_options(const Flags& flags) {
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  analysis::GetMetricsOptions options;
  options.print.format = flags.format == "json"  ? analysis::Format::kJson
                         : flags.format == "csv" ? analysis::Format::kCsv
                                                 : analysis::Format::kTable;
  options.print.metric = flags.metric;
  options.print.colour = analysis::wants_colour(STDOUT_FILENO);
  if (terminal) options.print.columns = [] { return analysis::terminal_columns(STDOUT_FILENO); };
  options.print.header_every = terminal ? kHeaderEvery : 0;
  options.agent = flags.agent;
  if (flags.count > 0) options.count = flags.count;
  if (flags.timeout_ns >= 0) options.timeout_ns = flags.timeout_ns;
  return options;
}

int get_metrics(const Cli& cli, Flags& flags) {
  LogCommand command(cli, flags.log);
  metriclog::ReaderOptions reading{.group = flags.group};
  if (!flags.from.empty()) {
    const auto start = metriclog::parse_start(flags.from, command.clock().wall_ns());
    if (!start) return cli.usage_error("--from: " + start.error().message());
    reading.start = *start;
  }
  if (const auto code = command.check(flags.http)) return *code;
  if (const auto log = flags.log.open(); log && !flags.dead_letter.empty() && !(*log)->has_dead_letters()) {
    return cli.usage_error("--dead-letter needs --kafka");
  }
  auto options = print_options(flags);
  std::unique_ptr<metriclog::LogWriter> dead_letters;
  if (!flags.dead_letter.empty()) {
    auto opened = open_dead_letter(flags.log, flags.dead_letter);
    if (!opened) return cli.usage_error("--dead-letter: " + opened.error().message());
    dead_letters = std::move(*opened);
    options.dead_letters = dead_letters.get();
  }
  if (const auto code = command.start(reading)) return *code;
  log_info("reading", {{"log", flags.log.address()}, {"group", flags.group}});
  command.watch_servers();
  const auto summary = analysis::run_get_metrics(options, command.reader(), command.output(), command.clock(),
                                                 command.registry(), command.stop());
  command.stop_watching_servers();
  if (!summary) return command.failed("get-metrics ended", summary.error());
  log_info("get-metrics ended", {{"ticks", summary->ticks},
                                 {"late", summary->late},
                                 {"duplicates", summary->duplicates},
                                 {"skipped", summary->skipped},
                                 {"lost", summary->lost}});
  return kExitOk;
}

Completions completions() {
  Completions words;
  std::set<std::string> metrics;
  for (const config::Selector& one : config::selectors()) metrics.insert(one.produces.begin(), one.produces.end());
  words.values["metric"] = {metrics.begin(), metrics.end()};
  words.values["from"] = {"latest", "earliest", "-10m"};
  words.names = {{"agent", "agents"}, {"AGENT", "agents"}};
  return words;
}

constexpr const char* kExamples =
    "  monitor-analysis get-metrics --kafka localhost:9092 --group-id my-team --timeout 10\n"
    "  monitor-analysis get-metrics --log sqlite:/var/lib/monitor/log.db\n"
    "  monitor-analysis get-metrics --from -10m --agent agent-001 --metric cpu --format json\n"
    "  monitor-analysis ledger --log sqlite:/var/lib/monitor/log.db --agent agent-001\n"
    "  monitor-analysis top --log sqlite:/var/lib/monitor/log.db\n"
    "  monitor-analysis serve --kafka localhost:9092 --etcd localhost:2379   the web page\n"
    "  monitor-analysis query --last 1h --format plot 'avg({\"system.cpu.utilization\"})'\n"
    "  monitor-analysis aggregate --window 1m --by agent --metric cpu --stats avg,p95,max\n"
    "  monitor-analysis aggregate --window 5m --slide 1m --group-id aggregates --output kafka\n"
    "  monitor-analysis aggregate --from -1h --once --format csv --metric memory\n"
    "  monitor-analysis rules check rules.yaml\n"
    "  monitor-analysis rules test tests.yaml\n"
    "  monitor-analysis rules replay rules.yaml --from -7d\n"
    "  monitor-analysis rules put disks rules.yaml --etcd localhost:2379\n"
    "  monitor-analysis rules list --etcd localhost:2379\n"
    "  monitor-analysis rules rm disks --etcd localhost:2379\n"
    "  monitor-analysis forget agent-001\n"
    "  monitor-analysis alert check /etc/monitor/notify.yml\n"
    "  monitor-analysis alert list\n"
    "  monitor-analysis alert history --last 7d\n"
    "  monitor-analysis alert silence --matcher 'agent=~\"web-.*\"' --for 2h --reason 'new kernel'\n"
    "  monitor-analysis alert silence --list\n"
    "  monitor-analysis alert test-notification --receiver oncall --notify /etc/monitor/notify.yml\n"
    "  monitor-analysis user add ann --role admin --users /etc/monitor/users.json\n"
    "  monitor-analysis user role ann --role editor\n"
    "  monitor-analysis user passwd ann --password-file ann.txt\n"
    "  monitor-analysis user remove ann\n"
    "  monitor-analysis user list\n"
    "  monitor-analysis api-token create --name ci --role viewer --for 30d\n"
    "  monitor-analysis api-token revoke ci\n"
    "  monitor-analysis api-token list\n"
    "  monitor-analysis log-settings --kafka localhost:9092\n";

int run(int argc, char** argv) {
  raise_descriptor_limit();
  block_signals();
  Flags flags;
  Cli cli({"monitor-analysis", "Reads the metric log.", kExamples, completions()});
  cli.app().require_subcommand(1);
  const CLI::App* const get = declare(cli, flags);
  LedgerFlags ledger_flags;
  const CLI::App* const ledger = declare_ledger(cli.app(), ledger_flags);
  ServeFlags serve_flags;
  const CLI::App* const serve = declare_serve(cli.app(), serve_flags);
  TopFlags top_flags;
  const CLI::App* const top = declare_top(cli.app(), top_flags);
  ForgetFlags forget_flags;
  const CLI::App* const forget = declare_forget(cli.app(), forget_flags);
  AggregateFlags aggregate_flags;
  const CLI::App* const aggregate = declare_aggregate(cli.app(), aggregate_flags);
  QueryFlags query_flags;
  const CLI::App* const query = declare_query(cli.app(), query_flags);
  AlertCommands alerts(cli.app());
  RulesCommand rules(cli.app());
  AccountCommands accounts(cli.app());
  LogSettingsFlags settings_flags;
  const CLI::App* const settings = declare_log_settings(cli.app(), settings_flags);
  cli.add_data_option();
  cli.add_drain_option();
  if (const auto code = cli.parse(argc, argv)) return *code;
  if (get->parsed()) return get_metrics(cli, flags);
  if (top->parsed()) return show_top(cli, top_flags);
  if (serve->parsed()) return serve_page(cli, serve_flags);
  if (aggregate->parsed()) return run_aggregate(cli, aggregate_flags);
  if (query->parsed()) return run_query(cli, query_flags);
  if (forget->parsed()) return forget_agent(cli, forget_flags);
  if (alerts.parsed()) return alerts.run(cli);
  if (rules.parsed()) return rules.run(cli);
  if (accounts.parsed()) return accounts.run(cli);
  if (settings->parsed()) return show_log_settings(cli, settings_flags);
  return ledger->parsed() ? show_ledger(cli, ledger_flags) : kExitUsage;
}

}  // namespace
}  // namespace monitor

int main(int argc, char** argv) { return monitor::guard(monitor::run, argc, argv); }

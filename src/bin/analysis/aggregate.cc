#include "bin/analysis/aggregate.h"

#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <utility>

#include "base/host_name.h"
#include "base/text.h"
#include "bin/analysis/log_command.h"
#include "metriclog/start_at.h"
#include "ui/aggregate/run.h"

namespace monitor {

namespace {

constexpr size_t kHeaderEvery = 24;  // rows; the height of a terminal
constexpr std::string_view kTopic = "monitoring-aggregates";
constexpr int64_t kKeepRows = int64_t{7} * 24 * 3600 * kNanosPerSecond;

// Completes the spec, and checks it.
Status complete(AggregateFlags& flags) {
  auto by = analysis::parse_dimensions(flags.by);
  if (!by) return by.error().with_context("--by");
  flags.spec.by = std::move(*by);
  auto stats = analysis::parse_stats(flags.stats);
  if (!stats) return stats.error().with_context("--stats");
  flags.spec.stats = std::move(*stats);
  flags.spec.slide_ns = flags.slide_ns > 0 ? flags.slide_ns : flags.spec.width_ns;
  return analysis::check(flags.spec);
}

Result<metriclog::StartAt> start_of(const AggregateFlags& flags, int64_t now_ns) {
  if (!flags.from.empty()) {
    auto start = metriclog::parse_start(flags.from, now_ns);
    if (!start) return start.error().with_context("--from");
    return *start;
  }
  metriclog::StartAt start;
  if (flags.once && flags.group.empty()) start.kind = metriclog::StartAt::Kind::kEarliest;
  return start;
}

// The log that --output names: kafka, kafka:HOST:PORT,...[/TOPIC] or sqlite:PATH.
std::string output_address(const AggregateFlags& flags) {
  std::string address = flags.output;
  if (address == "kafka") address = "kafka:" + flags.log.kafka.brokers;
  if (address.starts_with("kafka:") && address.find('/') == std::string::npos) address += fmt::format("/{}", kTopic);
  return address;
}

Result<std::unique_ptr<metriclog::LogWriter>> open_output(const AggregateFlags& flags, const Clock& clock) {
  const std::string address = output_address(flags);
  if (address == flags.log.address()) {
    return Error(Code::kInvalidArgument, "got " + json_quote(address) + ", which is the log that is read");
  }
  const auto log = metriclog::open(address, flags.log.kafka.properties);
  if (!log) return log.error();
  return (*log)->writer({.retention_ns = kKeepRows, .host = host_name(), .plain = true}, clock);
}

analysis::AggregateOptions options_of(const AggregateFlags& flags) {
  analysis::AggregateOptions options;
  options.spec = flags.spec;
  options.format = flags.format == "json"  ? analysis::Format::kJson
                   : flags.format == "csv" ? analysis::Format::kCsv
                                           : analysis::Format::kTable;
  options.header_every = isatty(STDOUT_FILENO) != 0 ? kHeaderEvery : 0;
  if (flags.count > 0) options.count = flags.count;
  if (flags.timeout_ns >= 0) options.timeout_ns = flags.timeout_ns;
  options.once = flags.once;
  options.group = !flags.group.empty();
  if (options.group) {
    options.partitions = [&flags]() -> Result<size_t> {
      const auto browser = open_log_browser(flags.log);
      if (!browser) return browser.error();
      const auto partitions = (*browser)->partitions();
      if (!partitions) return partitions.error();
      return partitions->size();
    };
  }
  return options;
}

int report(const analysis::AggregateSummary& summary) {
  log_info("aggregate ended", {{"rows", summary.rows},
                               {"corrections", summary.corrections},
                               {"points_too_late", summary.too_late},
                               {"points_ahead", summary.ahead},
                               {"points_refused", summary.refused},
                               {"duplicates", summary.duplicates},
                               {"skipped", summary.skipped},
                               {"lost", summary.lost}});
  return kExitOk;
}

void declare_windows(CLI::App& sub, AggregateFlags& flags) {
  add_duration(sub, "--window", flags.spec.width_ns, "Length of a window; windows are aligned to 1970 in UTC")
      ->default_str("1m");
  add_duration(sub, "--slide", flags.slide_ns,
               "Time from the start of one window to the next; windows then overlap (default: as long as a window)");
  add_duration(sub, "--lateness", flags.spec.lateness_ns, "How long a window waits for late data after its end")
      ->default_str("10s");
  add_duration(sub, "--keep", flags.spec.keep_ns,
               "How long a result can still be corrected by late data. Later data is counted and left out")
      ->default_str("15m");
  sub.add_option(
         "--by", flags.by,
         "Dimensions of the groups, separated by commas: agent, host, label (all labels of a series) or the name "
         "of a label; or none. The metric's name is always one")
      ->type_name("LIST")
      ->capture_default_str();
  sub.add_option(
         "--stats", flags.stats,
         "Statistics, separated by commas: avg, min, max, sum, count, first, last, rate (change per second; "
         "resets of counters are considered) and pN (quantiles, as p50 and p99.9, with an error of at most 1 %)")
      ->type_name("LIST")
      ->capture_default_str();
  sub.add_option("--agent", flags.spec.agent, "Only agents that match this pattern, with * and ?")
      ->type_name("PATTERN");
  sub.add_option(
         "--metric", flags.spec.metric,
         "Only these metrics: cpu (system.cpu and everything below it), or a pattern for the whole name or series: "
         "*{*=read}, with * and ?")
      ->type_name("PATTERN");
  sub.add_option("--max-series", flags.spec.max_series, "Limit on the series of each partition; others are left out")
      ->type_name("N")
      ->check(CLI::Range(size_t{1}, size_t{10'000'000}))
      ->capture_default_str();
}

}  // namespace

CLI::App* declare_aggregate(CLI::App& app, AggregateFlags& flags) {
  CLI::App* const sub = app.add_subcommand(
      "aggregate", "Aggregate the metric log over windows of time: averages, quantiles, rates, by agent or label");
  add_log_options(*sub, flags.log);
  declare_windows(*sub, flags);
  sub->add_option("--group-id", flags.group,
                  "Consumer group: keep the windows, continue where it stopped, and share the work among its members")
      ->type_name("GROUP");
  sub->add_option("--from", flags.from,
                  "Where to start: latest, earliest, a time (2026-11-22T12:00:00Z) or an age by the log's time (-10m) "
                  "(default: where the group stopped, else latest; with --once earliest)")
      ->type_name("POSITION");
  sub->add_option("--output", flags.output,
                  "Append the rows as JSON to another log instead of printing them: kafka (the brokers of --kafka), "
                  "kafka:HOST:PORT,...[/TOPIC] (default topic: monitoring-aggregates) or sqlite:PATH")
      ->type_name("LOG");
  sub->add_option("--name", flags.spec.name, "Name of this aggregate in the rows and their keys")
      ->type_name("NAME")
      ->capture_default_str();
  sub->add_option("--format", flags.format, "table, json (one object per line) or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  sub->add_option("--count", flags.count, "Exit after this many windows (0: never)")->type_name("N");
  add_seconds(*sub, "--timeout", flags.timeout_ns,
              "Exit after this time: seconds, or with a unit (default: never). With --once: time to wait for the log "
              "(default: 10s; in a group 30s)");
  sub->add_flag("--once", flags.once, "Read up to the current end of the log, print also open windows, and exit");
  sub->add_option("--http", flags.http, "Serve /metrics, /healthz and /readyz on ADDR:PORT, or off")
      ->type_name("ADDR:PORT|off");
  return sub;
}

int run_aggregate(const Cli& cli, AggregateFlags& flags) {
  LogCommand command(cli, flags.log);
  if (const Status good = complete(flags); !good) return cli.usage_error(good.error().message());
  const auto start = start_of(flags, command.clock().wall_ns());
  if (!start) return cli.usage_error(start.error().message());
  if (const auto code = command.check(flags.http)) return *code;
  auto options = options_of(flags);
  std::unique_ptr<metriclog::LogWriter> rows;
  if (!flags.output.empty()) {
    auto opened = open_output(flags, command.clock());
    if (!opened && opened.error().code() == Code::kInvalidArgument) {
      return cli.usage_error("--output: " + opened.error().message());
    }
    if (!opened) {
      log_error("cannot open the output", {{"output", flags.output}, {"reason", opened.error()}});
      return exit_code_for(opened.error());
    }
    rows = std::move(*opened);
    options.output = rows.get();
  }
  if (const auto code = command.start({.group = flags.group, .start = *start, .new_group_at_earliest = flags.once})) {
    return *code;
  }
  log_info("aggregating",
           {{"log", flags.log.address()}, {"group", flags.group}, {"windows", flags.spec.fingerprint()}});
  if (!flags.once) command.watch_servers();
  const auto summary = analysis::run_aggregate(options, command.reader(), command.output(), command.clock(),
                                               command.registry(), command.stop());
  command.stop_watching_servers();
  return summary ? report(*summary) : command.failed("aggregate ended", summary.error());
}

}  // namespace monitor

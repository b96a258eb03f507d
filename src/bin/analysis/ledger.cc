#include "bin/analysis/ledger.h"

#include <unistd.h>

#include <optional>

#include "bin/analysis/observability_server.h"
#include "bin/analysis/server_looker.h"
#include "metriclog/start_at.h"
#include "ui/ledger/run.h"

namespace monitor {

namespace {

constexpr int64_t kTimeout = 10 * kNanosPerSecond;
// Kafka reassigns the partitions of a dead group member only after 20 s.
constexpr int64_t kGroupTimeout = 30 * kNanosPerSecond;

// The resolved --from and --to.
struct Span {
  metriclog::StartAt start = {.kind = metriclog::StartAt::Kind::kEarliest};
  int64_t until_ns = INT64_MAX;
};

Result<Span> span_of(const LedgerFlags& flags, int64_t now_ns) {
  Span span;
  if (!flags.from.empty()) {
    const auto start = metriclog::parse_start(flags.from, now_ns);
    if (!start) return start.error().with_context("--from");
    span.start = *start;
  } else if (!flags.group.empty()) {
    span.start.kind = metriclog::StartAt::Kind::kStored;
  }
  if (flags.to.empty()) return span;
  const auto end = metriclog::parse_start(flags.to, now_ns);
  if (!end) return end.error().with_context("--to");
  if (end->kind == metriclog::StartAt::Kind::kTime) span.until_ns = end->time_ns;
  if (end->kind == metriclog::StartAt::Kind::kEarliest) span.until_ns = INT64_MIN;
  const bool latest = span.start.kind == metriclog::StartAt::Kind::kLatest;
  const int64_t from = span.start.kind == metriclog::StartAt::Kind::kTime ? span.start.time_ns
                       : latest                                           ? now_ns
                                                                          : INT64_MIN;
  if (span.until_ns < from) {
    return Error(Code::kInvalidArgument, "--to: got " + flags.to + ", which is before --from " + flags.from);
  }
  return span;
}

analysis::LedgerOptions options_of(const LedgerFlags& flags, int64_t until_ns) {
  analysis::LedgerOptions options;
  options.format =
      flags.format == "json" ? analysis::LedgerOptions::Format::kJson : analysis::LedgerOptions::Format::kTable;
  options.agent = flags.agent;
  const bool group = !flags.group.empty();
  const int64_t timeout = flags.timeout_ns >= 0 ? flags.timeout_ns : group ? kGroupTimeout : kTimeout;
  options.reading = {until_ns, timeout, group, flags.watch};
  options.missing_after_ns = flags.missing_after_ns;
  options.watch = flags.watch;
  options.terminal = isatty(STDOUT_FILENO) != 0;
  return options;
}

int finish(const LedgerFlags& flags, const Result<analysis::LedgerSummary>& summary) {
  if (!summary) {
    report_log_failure("ledger ended", flags.log, summary.error());
    return exit_code_for_reading(flags.log, summary.error());
  }
  if (summary->complete && summary->incarnations == 0) {
    log_warning(
        flags.agent.empty() ? "the log holds no batch in this span" : "no agent of this name in this span of the log",
        {{"log", flags.log.address()}, {"agent", flags.agent}});
  }
  log_info("ledger ended", {{"incarnations", summary->incarnations},
                            {"missing", summary->missing},
                            {"elsewhere", summary->elsewhere},
                            {"duplicates", summary->duplicates},
                            {"conflicts", summary->conflicts},
                            {"skipped", summary->skipped},
                            {"lost", summary->lost},
                            {"complete", summary->complete}});
  if (summary->contradicted > 0) {
    log_warning("batches contradict one another: somebody writes under the names of these agents",
                {{"runs", summary->contradicted}, {"next", "see `conflict_examples` in --format json"}});
  }
  return summary->missing > 0 || summary->contradicted > 0 ? kExitNegative : kExitOk;
}

}  // namespace

CLI::App* declare_ledger(CLI::App& app, LedgerFlags& flags) {
  CLI::App* const sub = app.add_subcommand(
      "ledger", "Account for every batch of every agent; exit with 1 if any is missing or contradicted");
  add_log_options(*sub, flags.log);
  sub->add_option("--agent", flags.agent, "Only agents that match this pattern, with * and ?")->type_name("PATTERN");
  sub->add_option("--from", flags.from,
                  "Skip records stored earlier than: earliest, a time (2026-11-22T12:00:00Z) or an age (-10m) "
                  "(default: where the group stopped, else earliest)")
      ->type_name("POSITION");
  sub->add_option("--to", flags.to, "Skip records stored at this time or later: a time, or an age (default: none)")
      ->type_name("POSITION");
  sub->add_option("--format", flags.format, "table, or json (one object per line)")
      ->check(CLI::IsMember({"table", "json"}));
  sub->add_flag("--watch", flags.watch, "Keep running, and print changes");
  add_duration(*sub, "--missing-after", flags.missing_after_ns,
               "Time to wait for the batches of a gap before it is reported as missing")
      ->default_str("60s");
  add_seconds(*sub, "--timeout", flags.timeout_ns,
              "Time to wait for an unreachable log (default: 10s; in a group 30s)");
  sub->add_option("--group-id", flags.group,
                  "Consumer group: continue where it stopped, and share the work among its members")
      ->type_name("GROUP");
  sub->add_option("--http", flags.http, "Serve /metrics, /healthz and /readyz on ADDR:PORT, or off")
      ->type_name("ADDR:PORT|off");
  return sub;
}

int show_ledger(const Cli& cli, LedgerFlags& flags) {
  const SystemClock clock;
  const auto span = span_of(flags, clock.wall_ns());
  if (!span) return cli.usage_error(span.error().message());
  if (!flags.to.empty() && (flags.watch || !flags.group.empty())) {
    return cli.usage_error("--to excludes --watch and --group-id, which keep running");
  }
  if (const std::string fault = resolve_log(cli, flags.log); !fault.empty()) return cli.usage_error(fault);
  if (const std::string fault = check_log_flags(flags.log); !fault.empty()) return cli.usage_error(fault);
  const auto http = http_option(flags.http);
  if (!http) return cli.usage_error(http.error().message());
  auto reader = open_log_reader(
      flags.log, {.group = flags.group, .start = span->start, .new_group_at_earliest = !flags.group.empty()});
  if (!reader) {
    report_log_failure("cannot read the metric log", flags.log, reader.error());
    return exit_code_for_reading(flags.log, reader.error());
  }
  telemetry::Registry registry;
  ObservabilityServer observability(clock, **reader, cli.drain_timeout_ns());
  if (const Status started = observability.start(*http, registry); !started) return exit_code_for(started.error());
  analysis::FdOutput output(STDOUT_FILENO, observability.stop());
  std::optional<ServerLooker> looker;
  if (flags.watch) looker.emplace(flags.log, clock, ServerLooker::Tell::kLog);
  const auto summary =
      analysis::run_ledger(options_of(flags, span->until_ns), **reader, output, clock, registry, observability.stop());
  // A span that ends in the past does not depend on who writes now.
  if (summary && summary->complete && !flags.watch && flags.to.empty()) log_absent_servers(flags.log, clock);
  return finish(flags, summary);
}

}  // namespace monitor

#include "bin/analysis/ledger.h"

#include <unistd.h>

#include "bin/analysis/log_command.h"
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

int report(const LedgerFlags& flags, const analysis::LedgerSummary& summary) {
  if (summary.complete && summary.incarnations == 0) {
    log_warning(
        flags.agent.empty() ? "the log holds no batch in this span" : "no agent of this name in this span of the log",
        {{"log", flags.log.address()}, {"agent", flags.agent}});
  }
  log_info("ledger ended", {{"incarnations", summary.incarnations},
                            {"missing", summary.missing},
                            {"elsewhere", summary.elsewhere},
                            {"duplicates", summary.duplicates},
                            {"conflicts", summary.conflicts},
                            {"skipped", summary.skipped},
                            {"lost", summary.lost},
                            {"complete", summary.complete}});
  if (summary.contradicted > 0) {
    log_warning("batches contradict one another: somebody writes under the names of these agents",
                {{"runs", summary.contradicted}, {"next", "see `conflict_examples` in --format json"}});
  }
  return summary.missing > 0 || summary.contradicted > 0 ? kExitNegative : kExitOk;
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
  LogCommand command(cli, flags.log);
  const auto span = span_of(flags, command.clock().wall_ns());
  if (!span) return cli.usage_error(span.error().message());
  if (!flags.to.empty() && (flags.watch || !flags.group.empty())) {
    return cli.usage_error("--to excludes --watch and --group-id, which keep running");
  }
  if (const auto code = command.check(flags.http)) return *code;
  if (const auto code =
          command.start({.group = flags.group, .start = span->start, .new_group_at_earliest = !flags.group.empty()})) {
    return *code;
  }
  if (flags.watch) command.watch_servers();
  const auto summary = analysis::run_ledger(options_of(flags, span->until_ns), command.reader(), command.output(),
                                            command.clock(), command.registry(), command.stop());
  // A span that ends in the past does not depend on who writes now.
  if (summary && summary->complete && !flags.watch && flags.to.empty()) {
    log_absent_servers(flags.log, command.clock());
  }
  return summary ? report(flags, *summary) : command.failed("ledger ended", summary.error());
}

}  // namespace monitor

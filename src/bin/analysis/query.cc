#include "bin/analysis/query.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "base/log.h"
#include "metriclog/start_at.h"
#include "query/evaluator.h"
#include "query/parser.h"
#include "rules/layered_source.h"
#include "rules/sqlite_store.h"
#include "ui/query/format.h"
#include "ui/terminal/terminal.h"
#include "views/history/series_source.h"
#include "views/unusual/scored_source.h"

namespace monitor {

namespace {

namespace history = analysis::history;

constexpr int64_t kNanosPerMs = 1'000'000;
// Without --step, a range has about so many steps.
constexpr int64_t kSteps = 250;

constexpr size_t kUsualColumns = 80;

Result<query::QueryTimes> times_of(const QueryFlags& flags, int64_t now_ns) {
  int64_t at_ns = now_ns;
  if (!flags.at.empty()) {
    const auto at = metriclog::parse_start(flags.at, now_ns);
    if (!at) return at.error().with_context("--at");
    if (at->kind != metriclog::StartAt::Kind::kTime) {
      return Error(Code::kInvalidArgument, "--at: got " + flags.at + ", expected a time or an age such as -10m");
    }
    at_ns = at->time_ns;
  }
  query::QueryTimes times{.start_ms = at_ns / kNanosPerMs, .end_ms = at_ns / kNanosPerMs};
  if (flags.last_ns == 0) {
    if (flags.step_ns > 0) return Error(Code::kInvalidArgument, "--step is used with --last only");
    return times;
  }
  times.start_ms -= flags.last_ns / kNanosPerMs;
  times.step_ms = flags.step_ns / kNanosPerMs;
  if (times.step_ms == 0) times.step_ms = std::max<int64_t>(1000, flags.last_ns / kNanosPerMs / kSteps);
  return times;
}

analysis::QueryFormat format_of(const std::string& name) {
  if (name == "json") return analysis::QueryFormat::kJson;
  if (name == "csv") return analysis::QueryFormat::kCsv;
  return name == "plot" ? analysis::QueryFormat::kPlot : analysis::QueryFormat::kTable;
}

Result<query::QueryResult> evaluate(const query::Expression& expression, std::string_view text,
                                    history::HistoryReader& reader, const std::string& path,
                                    const query::QueryTimes& times, int64_t timeout_ns) {
  const SystemClock clock;
  const int64_t deadline_ns = clock.mono_ns() + timeout_ns;
  query::QueryOptions options{.text = text};
  options.limits.check = [&clock, deadline_ns]() -> Status {
    if (clock.mono_ns() < deadline_ns) return {};
    return Error(Code::kDeadlineExceeded, "the query took longer than --timeout; select less, or give it more time");
  };
  const auto facts = history::AgentFactsReader::open(history::facts_path(path));
  history::HistorySource data(reader, {.check = options.limits.check}, facts ? facts->get() : nullptr);
  rules::ResultReader results(rules::store_path(path));
  rules::LayeredSource stored(data, results);
  analysis::unusual::ScoredSource source(stored, {.reader = &reader, .check = options.limits.check});
  return query::evaluate(expression, source, times, options);
}

}  // namespace

CLI::App* declare_query(CLI::App& app, QueryFlags& flags) {
  CLI::App* const sub = app.add_subcommand("query", "Evaluate a PromQL expression over the page's history");
  sub->add_option(
         "expression", flags.expression,
         "PromQL, with names as in get-metrics or as in Prometheus: "
         "'avg by (agent) ({\"system.cpu.utilization\"})' or 'avg_over_time(system_disk_io_rate_bytes_per_second[5m])'")
      ->type_name("EXPRESSION")
      ->required();
  add_duration(*sub, "--last", flags.last_ns, "Evaluate over this long until now: 6h (default: at one moment)");
  add_duration(*sub, "--step", flags.step_ns, "With --last: the distance of two values (default: 1/250 of --last)");
  sub->add_option("--at", flags.at, "The moment, or the end of --last: a time (2026-11-22T12:00:00Z) or an age (-10m)")
      ->type_name("TIME");
  sub->add_option("--format", flags.format, "table, json (as Prometheus' API), csv or plot")
      ->check(CLI::IsMember({"table", "json", "csv", "plot"}))
      ->capture_default_str();
  sub->add_option("--history", flags.history, "The history's file (default: <data>/history.db)")->type_name("FILE");
  add_seconds(*sub, "--timeout", flags.timeout_ns, "End after this time (default: 30s)");
  return sub;
}

int run_query(const Cli& cli, const QueryFlags& flags) {
  const auto expression = query::parse(flags.expression);
  if (!expression) return cli.usage_error("the expression, at " + expression.error().message());
  const SystemClock clock;
  const auto times = times_of(flags, clock.wall_ns());
  if (!times) return cli.usage_error(times.error().message());
  const std::string path = flags.history.empty() ? cli.data_folder() + "/history.db" : flags.history;
  auto reader = history::HistoryReader::open(path);
  if (!reader) {
    log_error(
        "the history cannot be opened",
        {{"file", path}, {"reason", reader.error()}, {"next", "monitor-analysis serve writes it; see --history"}});
    return exit_code_for(reader.error());
  }
  const auto result = evaluate(**expression, flags.expression, **reader, path, *times, flags.timeout_ns);
  if (!result) {
    // The expression, or how much it selects, is the user's to change.
    const Code code = result.error().code();
    if (code == Code::kInvalidArgument || code == Code::kResourceExhausted) {
      return cli.usage_error(result.error().message());
    }
    log_error("the query failed", {{"reason", result.error()}});
    return exit_code_for(result.error());
  }
  const bool range = flags.last_ns > 0;
  for (const std::string& one : result->warnings) std::cerr << "monitor-analysis: " << one << "\n";
  for (const std::string& one : result->infos) std::cerr << "monitor-analysis: " << one << "\n";
  if (result->series.empty() && result->type != query::ValueType::kString) {
    std::cerr << "monitor-analysis: no series has a value " << (range ? "in this time" : "at this moment") << "\n";
  }
  const size_t columns = analysis::terminal_columns(STDOUT_FILENO);
  std::cout << analysis::to_text(*result, {.format = format_of(flags.format),
                                           .times = *times,
                                           .range = range,
                                           .columns = columns > 0 ? columns : kUsualColumns})
            << std::flush;
  if (std::cout.good()) return kExitOk;
  log_error("the result cannot be written", {{"next", "check the disk, or the program that reads it"}});
  return kExitIo;
}

}  // namespace monitor

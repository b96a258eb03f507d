#include "bin/analysis/top.h"

#include <unistd.h>

#include "bin/analysis/observability_server.h"
#include "bin/analysis/server_looker.h"
#include "metriclog/start_at.h"
#include "ui/top/run.h"

namespace monitor {

CLI::App* declare_top(CLI::App& app, TopFlags& flags) {
  CLI::App* const sub = app.add_subcommand("top", "Show the fleet in the terminal, live");
  add_log_options(*sub, flags.log);
  sub->add_option("--from", flags.from, "Where to start in the log: an age (-10m), a time, earliest or latest")
      ->type_name("POSITION")
      ->capture_default_str();
  return sub;
}

int show_top(const Cli& cli, TopFlags& flags) {
  const SystemClock clock;
  const auto start = metriclog::parse_start(flags.from, clock.wall_ns());
  if (!start) return cli.usage_error("--from: " + start.error().message());
  if (const std::string fault = resolve_log(cli, flags.log); !fault.empty()) return cli.usage_error(fault);
  if (const std::string fault = check_log_flags(flags.log); !fault.empty()) return cli.usage_error(fault);
  if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) {
    return cli.usage_error("top: standard input and output must be a terminal; get-metrics prints without one");
  }
  auto reader = open_log_reader(flags.log, {.start = *start});
  if (!reader) {
    report_log_failure("cannot read the metric log", flags.log, reader.error());
    return exit_code_for_reading(flags.log, reader.error());
  }
  telemetry::Registry registry;
  ObservabilityServer observability(clock, **reader, cli.drain_timeout_ns());
  observability.start();
  // A log line would corrupt the table.
  log_set_level(LogLevel::kOff);
  Status shown;
  {
    const ServerLooker looker(flags.log, clock);
    shown = analysis::top::run(**reader, clock, registry, observability.stop(), [&looker] { return looker.servers(); });
  }
  log_set_level(cli.log_level());
  if (shown) return kExitOk;
  report_log_failure("top ended", flags.log, shown.error());
  return exit_code_for_reading(flags.log, shown.error());
}

}  // namespace monitor

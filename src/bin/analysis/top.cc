#include "bin/analysis/top.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "base/disk.h"
#include "bin/analysis/alert_looker.h"
#include "bin/analysis/observability_server.h"
#include "bin/analysis/server_looker.h"
#include "bin/analysis/share_looker.h"
#include "metriclog/start_at.h"
#include "ui/top/curses_screen.h"
#include "ui/top/run.h"
#include "ui/top/settings.h"

namespace monitor {

namespace {

std::string environment(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody changes it
  return value == nullptr ? "" : value;
}

// A file of the page's server: the named one; with --data, or of a running `monitor up`, the one in its folder; beside
// a log that is a file; else the one in the default data folder, as `alert list` has it.
Result<std::string> file_of_page(const Cli& cli, const TopFlags& flags, const std::string& named,
                                 const std::string& name) {
  if (!named.empty()) return named;
  if (cli.data_named()) return cli.data_folder() + name;
  constexpr std::string_view kFile = "sqlite:";
  if (flags.log.log.starts_with(kFile)) {
    const std::string log = flags.log.log.substr(kFile.size());
    const size_t slash = log.rfind('/');
    return (slash == std::string::npos ? "." : log.substr(0, slash)) + name;
  }
  const auto running = cli.running();
  if (!running) return running.error();
  return (*running != nullptr ? (*running)->data : cli.data_folder()) + name;
}

Status show(const Cli& cli, const TopFlags& flags, metriclog::LogReader& reader, const ObservabilityServer& server,
            const Clock& clock, telemetry::Registry& registry) {
  namespace top = analysis::top;
  auto screen = top::open_curses_screen({.mouse = !flags.no_mouse});
  if (!screen) return screen.error();
  PosixDisk disk;
  const ServerLooker looker(flags.log, clock);
  const auto path = file_of_page(cli, flags, flags.alerts, "/alerts.db");
  AlertLooker alerts(path ? *path : "", path ? "" : path.error().message(), clock);
  const auto history = file_of_page(cli, flags, flags.history, "/history.db");
  ShareLooker shares(history ? *history : "", clock);
  const top::TopParts parts{.reader = reader,
                            .clock = clock,
                            .registry = registry,
                            .stop = server.stop(),
                            .servers = [&looker] { return looker.servers(); },
                            .alerts = [&alerts] { return alerts.changed(); },
                            .unusual = [&shares] { return shares.changed(); },
                            .disk = disk,
                            .settings_path = top::settings_path(environment("XDG_CONFIG_HOME"), environment("HOME"))};
  return top::run(parts, **screen);
}

}  // namespace

CLI::App* declare_top(CLI::App& app, TopFlags& flags) {
  CLI::App* const sub = app.add_subcommand("top", "Show the fleet in the terminal, live");
  add_log_options(*sub, flags.log);
  sub->add_option("--from", flags.from, "Where to start in the log: an age (-10m), a time, earliest or latest")
      ->type_name("POSITION")
      ->capture_default_str();
  sub->add_option("--alerts", flags.alerts,
                  "The file of alerts (default: alerts.db in the data folder, or beside a log that is a file)")
      ->type_name("FILE");
  sub->add_option("--history", flags.history,
                  "The page's history, for the share of unusual series (default: history.db, found as alerts.db is)")
      ->type_name("FILE");
  sub->add_flag("--no-mouse", flags.no_mouse, "Leave the mouse to the terminal, for example to select text");
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
  const Status shown = show(cli, flags, **reader, observability, clock, registry);
  log_set_level(cli.log_level());
  if (shown) return kExitOk;
  report_log_failure("top ended", flags.log, shown.error());
  return exit_code_for_reading(flags.log, shown.error());
}

}  // namespace monitor

// monitor-analysis: flags and wiring. get-metrics is src/analysis/print/get_metrics.h.
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>

#include "analysis/print/get_metrics.h"
#include "base/signals.h"
#include "base/text.h"
#include "base/time_format.h"
#include "bin/common/cli.h"
#include "bin/log/log_flags.h"
#include "metriclog/log_address.h"
#include "telemetry/http/http_server.h"

namespace monitor {
namespace {

constexpr size_t kHeaderEvery = 24;  // rows: a terminal's height

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
  CLI::App& app = cli.app();
  app.require_subcommand(1);
  CLI::App* const get = app.add_subcommand("get-metrics", "Follow the metric log and print what comes");
  add_log_options(*get, flags.log);
  get->add_option("--group-id", flags.group,
                  "Read as this group: go on where it stopped, share the work with its other members");
  get->add_option("--from", flags.from,
                  "Where to begin: latest, earliest, a time (2026-11-22T12:00:00Z) or an age by the log's time (-10m) "
                  "(default: where the group stopped, else latest)");
  add_duration(*get, "--timeout", flags.timeout_ns, "End after this long: seconds, or with a unit (default: never)");
  get->add_option("--count", flags.count, "End after so many ticks (0: never)");
  get->add_option("--agent", flags.agent, "Only this agent; * and ? stand for any");
  get->add_option("--metric", flags.metric,
                  "Only metrics of this name, as system.cpu.* or *{*=read}; * and ? stand for any");
  get->add_option("--format", flags.format, "table, json (an object a line) or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  get->add_option("--dead-letter", flags.dead_letter,
                  "Keep records that cannot be decoded in this topic of the same Kafka, too")
      ->type_name("TOPIC");
  get->add_option("--http", flags.http, "Serve /metrics, /healthz and /readyz on ADDR:PORT, or off");
  cli.add_data_option();
  cli.add_drain_option();
  return get;
}

analysis::GetMetricsOptions print_options(const Flags& flags) {
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  const char* const no_color = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): before any thread
  analysis::GetMetricsOptions options;
  options.print.format = flags.format == "json"  ? analysis::Format::kJson
                         : flags.format == "csv" ? analysis::Format::kCsv
                                                 : analysis::Format::kTable;
  options.print.metric = flags.metric;
  options.print.colour = terminal && (no_color == nullptr || no_color[0] == '\0');
  options.print.header_every = terminal ? kHeaderEvery : 0;
  options.agent = flags.agent;
  if (flags.count > 0) options.count = flags.count;
  if (flags.timeout_ns >= 0) options.timeout_ns = flags.timeout_ns;
  return options;
}

// Signals and HTTP, on a thread beside the one that waits for the log.
class Attendant {
 public:
  // A stop that the reading thread does not follow within `drain_ns` (a pipe that nobody reads) is cut short.
  Attendant(const Clock& clock, const std::function<void()>& on_stop, int64_t drain_ns)
      : loop_(clock), signals_(loop_, [this, on_stop, drain_ns](int) {
          on_stop();
          loop_.call_after(drain_ns, [] { _exit(kExitOk); });
        }) {}
  ~Attendant() {
    if (!thread_.joinable()) return;
    loop_.stop();
    thread_.join();
  }
  Attendant(const Attendant&) = delete;
  Attendant& operator=(const Attendant&) = delete;

  Status serve(const telemetry::HttpOptions& options, const telemetry::Registry& registry) {
    auto started = telemetry::HttpServer::start(loop_, options, telemetry::own_pages(registry, [] { return ""; }));
    if (!started) return started.error();
    http_ = std::move(*started);
    log_info("listening", {{"service", "http"}, {"address", fmt::format("{}:{}", options.address, http_->port())}});
    return {};
  }
  void start() {
    thread_ = std::thread([this] { loop_.run(); });
  }

 private:
  EventLoop loop_;
  const Signals signals_;
  std::unique_ptr<telemetry::HttpServer> http_;
  std::thread thread_;
};

// An output that cannot be written ends with 74, as a damaged file does.
int exit_code_for_reading(const LogFlags& log, const Error& error) {
  const bool output = error.code() == Code::kInternal || error.code() == Code::kResourceExhausted;
  return output ? exit_code_for(error) : exit_code_for_log(log, error);
}

int get_metrics(const Cli& cli, Flags& flags) {
  const SystemClock clock;
  metriclog::ReaderOptions reading{.group = flags.group};
  if (!flags.from.empty()) {
    const auto start = metriclog::parse_start(flags.from, clock.wall_ns());
    if (!start) return cli.usage_error("--from: " + start.error().message());
    reading.start = *start;
  }
  if (const std::string fault = check_log_flags(flags.log); !fault.empty()) return cli.usage_error(fault);
  if (!flags.dead_letter.empty() && !flags.log.on_kafka()) return cli.usage_error("--dead-letter needs --kafka");
  std::optional<telemetry::HttpOptions> http;
  if (flags.http != "off") {
    const auto parsed = telemetry::parse_http_address(flags.http);
    if (!parsed) return cli.usage_error("--http: " + parsed.error().message());
    http = *parsed;
  }
  auto reader = open_log_reader(flags.log, reading);
  if (!reader) {
    log_error("cannot read the metric log", {{"reason", reader.error()}});
    return exit_code_for_reading(flags.log, reader.error());
  }
  auto options = print_options(flags);
  std::unique_ptr<metriclog::LogWriter> dead_letters;
  if (!flags.dead_letter.empty()) {
    auto opened = open_dead_letter(flags.log, flags.dead_letter);
    if (!opened) return cli.usage_error("--dead-letter: " + opened.error().message());
    dead_letters = std::move(*opened);
    options.dead_letters = dead_letters.get();
  }

  std::atomic<bool> stop = false;
  telemetry::Registry registry;
  Attendant attendant(
      clock,
      [&stop, &reader] {
        stop = true;
        (*reader)->wake();
      },
      cli.drain_timeout_ns());
  if (http) {
    if (const Status served = attendant.serve(*http, registry); !served) {
      log_error("cannot serve HTTP", {{"reason", served.error()}});
      return exit_code_for(served.error());
    }
  }
  attendant.start();
  log_info("reading", {{"log", flags.log.describe()}, {"group", flags.group}});
  analysis::FdOutput output(STDOUT_FILENO, stop);
  const auto summary = analysis::run_get_metrics(options, **reader, output, clock, registry, stop);
  if (!summary) {
    log_error("get-metrics ended", {{"reason", summary.error()}});
    return exit_code_for_reading(flags.log, summary.error());
  }
  log_info("get-metrics ended", {{"ticks", summary->ticks},
                                 {"late", summary->late},
                                 {"duplicates", summary->duplicates},
                                 {"skipped", summary->skipped},
                                 {"lost", summary->lost}});
  return kExitOk;
}

int run(int argc, char** argv) {
  block_signals();
  Flags flags;
  Cli cli({"monitor-analysis", "Reads the metric log.",
           "  monitor-analysis get-metrics --kafka localhost:9092 --group-id my-team --timeout 10\n"
           "  monitor-analysis get-metrics --log sqlite:/tmp/log.db\n"
           "  monitor-analysis get-metrics --from -10m --agent agent-001 --metric 'system.cpu.*' --format json\n"});
  const CLI::App* const get = declare(cli, flags);
  if (const auto code = cli.parse(argc, argv)) return *code;
  return get->parsed() ? get_metrics(cli, flags) : kExitUsage;
}

}  // namespace
}  // namespace monitor

int main(int argc, char** argv) { return monitor::guard(monitor::run, argc, argv); }

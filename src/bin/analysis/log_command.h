// LogCommand: what the commands share that read the metric log and print what they find (get-metrics, ledger,
// aggregate): the log's options, its reader, signals, HTTP, and standard output.
//
// On the program's main thread, which blocks on the log. Signals and HTTP have a thread of their own
// (observability_server.h). Cli and flags must outlive it.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "bin/analysis/observability_server.h"
#include "bin/analysis/server_looker.h"
#include "bin/common/cli.h"
#include "bin/log/log_flags.h"
#include "metriclog/log.h"
#include "telemetry/registry.h"
#include "ui/print/output.h"

namespace monitor {

class LogCommand {
 public:
  LogCommand(const Cli& cli, LogFlags& log) : cli_(cli), log_(log) {}

  // Completes and checks the log's options and --http. Returns the exit status if one is invalid.
  std::optional<int> check(const std::string& http);
  // Opens the log's reader and starts to serve. Returns the exit status on failure. Call after check().
  std::optional<int> start(const metriclog::ReaderOptions& options);
  // Until the destruction, or stop_watching_servers(), the program's log says when no server writes the metric log.
  void watch_servers() { looker_.emplace(log_, clock_, ServerLooker::Tell::kLog); }
  void stop_watching_servers() { looker_.reset(); }
  // Logs that the command ended with an error of the log or of the output. Returns the exit status.
  int failed(const char* what, const Error& error) const;

  const SystemClock& clock() const { return clock_; }
  // From here on, after start().
  metriclog::LogReader& reader() { return *reader_; }
  telemetry::Registry& registry() { return registry_; }
  analysis::FdOutput& output() { return *output_; }
  const std::atomic<bool>& stop() const { return observability_->stop(); }

 private:
  const Cli& cli_;
  LogFlags& log_;
  const SystemClock clock_;
  std::optional<telemetry::HttpOptions> http_;
  std::unique_ptr<metriclog::LogReader> reader_;
  telemetry::Registry registry_;
  std::optional<ObservabilityServer> observability_;
  std::optional<analysis::FdOutput> output_;
  std::optional<ServerLooker> looker_;
};

}  // namespace monitor

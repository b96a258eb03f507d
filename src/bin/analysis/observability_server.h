// ObservabilityServer: handles signals and optionally serves HTTP (metrics, health) on its own thread, while the main
// thread blocks on the log.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/event_loop.h"
#include "base/signals.h"
#include "metriclog/log.h"
#include "telemetry/http/http_server.h"

namespace monitor {

// Parses --http; "off" gives nothing.
Result<std::optional<telemetry::HttpOptions>> http_option(const std::string& text);

class ObservabilityServer {
 public:
  // SIGTERM and SIGINT set stop() and wake the reader. If the main thread does not end within `drain_ns` (it blocks on
  // a full pipe), the process exits. The reader must outlive this object.
  ObservabilityServer(const Clock& clock, metriclog::LogReader& reader, int64_t drain_ns);
  ~ObservabilityServer();
  ObservabilityServer(const ObservabilityServer&) = delete;
  ObservabilityServer& operator=(const ObservabilityServer&) = delete;

  // Starts the thread; with options, serves HTTP. The registry must outlive this object. Logs and returns an error if
  // the address cannot be bound.
  Status start(const std::optional<telemetry::HttpOptions>& options, const telemetry::Registry& registry);
  void start();
  const std::atomic<bool>& stop() const { return stop_; }

 private:
  Status serve(const telemetry::HttpOptions& options, const telemetry::Registry& registry);

  std::atomic<bool> stop_ = false;
  EventLoop loop_;
  const Signals signals_;
  std::unique_ptr<telemetry::HttpServer> http_;
  std::thread thread_;
};

}  // namespace monitor

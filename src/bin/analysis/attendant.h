// Beside the thread that waits for the log: signals, and HTTP where it is asked for.
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

// "off" is nothing.
Result<std::optional<telemetry::HttpOptions>> http_option(const std::string& text);

class Attendant {
 public:
  // At SIGTERM or SIGINT stop() becomes true, and the reader is woken. A stop that the reading thread does not follow
  // within `drain_ns` (a pipe that nobody reads) is cut short. The reader must outlive this.
  Attendant(const Clock& clock, metriclog::LogReader& reader, int64_t drain_ns);
  ~Attendant();
  Attendant(const Attendant&) = delete;
  Attendant& operator=(const Attendant&) = delete;

  // Begins to listen to signals; with options, serves HTTP. The registry must outlive this. Errors, which are logged:
  // an address that cannot be had.
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

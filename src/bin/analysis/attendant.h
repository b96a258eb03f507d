// Beside the thread that waits for the log: signals, and HTTP where it is asked for.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/event_loop.h"
#include "base/signals.h"
#include "telemetry/http/http_server.h"

namespace monitor {

// "off" is nothing.
Result<std::optional<telemetry::HttpOptions>> http_option(const std::string& text);

class Attendant {
 public:
  // `on_stop` is called on this object's thread at SIGTERM or SIGINT. A stop that the reading thread does not follow
  // within `drain_ns` (a pipe that nobody reads) is cut short.
  Attendant(const Clock& clock, const std::function<void()>& on_stop, int64_t drain_ns);
  ~Attendant();
  Attendant(const Attendant&) = delete;
  Attendant& operator=(const Attendant&) = delete;

  // Nothing is served without options. The registry must outlive this.
  Status serve(const std::optional<telemetry::HttpOptions>& options, const telemetry::Registry& registry);
  void start();

 private:
  EventLoop loop_;
  const Signals signals_;
  std::unique_ptr<telemetry::HttpServer> http_;
  std::thread thread_;
};

}  // namespace monitor

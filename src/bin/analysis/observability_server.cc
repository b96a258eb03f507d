#include "bin/analysis/observability_server.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/exit_codes.h"
#include "base/log.h"

namespace monitor {

Result<std::optional<telemetry::HttpOptions>> http_option(const std::string& text) {
  if (text == "off") return std::optional<telemetry::HttpOptions>();
  const auto parsed = telemetry::parse_http_address(text);
  if (!parsed) return Error(parsed.error().code(), "--http: " + parsed.error().message());
  return std::optional(*parsed);
}

ObservabilityServer::ObservabilityServer(const Clock& clock, metriclog::LogReader& reader, int64_t drain_ns)
    : loop_(clock), signals_(loop_, [this, &reader, drain_ns](int) {
        stop_ = true;
        reader.wake();
        loop_.call_after(drain_ns, [] { _exit(kExitOk); });
      }) {}

ObservabilityServer::~ObservabilityServer() {
  if (!thread_.joinable()) return;
  loop_.stop();
  thread_.join();
}

Status ObservabilityServer::serve(const telemetry::HttpOptions& options, const telemetry::Registry& registry) {
  auto started = telemetry::HttpServer::start(loop_, options, telemetry::own_pages(registry, [] { return ""; }));
  if (!started) {
    log_error("cannot serve HTTP", {{"reason", started.error()}});
    return started.error();
  }
  http_ = std::move(*started);
  log_info("listening", {{"service", "http"}, {"address", fmt::format("{}:{}", options.address, http_->port())}});
  return {};
}

Status ObservabilityServer::start(const std::optional<telemetry::HttpOptions>& options,
                                  const telemetry::Registry& registry) {
  if (options) {
    if (Status served = serve(*options, registry); !served) return served;
  }
  start();
  return {};
}

void ObservabilityServer::start() {
  thread_ = std::thread([this] { loop_.run(); });
}

}  // namespace monitor

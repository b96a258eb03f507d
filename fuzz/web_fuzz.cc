// The parts of an HTTP request: host, origin, token, and the query's names and values. The input is a NUL-separated
// list of strings: host, origin, authorization, then alternating names and values.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/escape.h"
#include "base/text.h"
#include "telemetry/http/host_header.h"
#include "ui/web/event_broadcaster.h"
#include "ui/web/http.h"
#include "ui/web/log_service.h"
#include "ui/web/prometheus.h"
#include "views/history/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor::analysis;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> parts;
  for (const std::string_view part : monitor::split(text, '\0')) parts.emplace_back(part);
  parts.resize(std::max<size_t>(parts.size(), 3));
  const web::Request request{.host = parts[0], .origin = parts[1], .authorization = parts[2]};
  (void)web::check_host(request, {"monitor.example"});
  (void)web::check_origin(request);
  (void)web::bearer_token(request);
  // Escaping must leave no control characters for a terminal, and must keep a CSV field on one line.
  for (const char c : monitor::csv_field(text) + monitor::printable(text)) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) __builtin_trap();
  }
  if (const auto target = monitor::telemetry::request_target({parts[0]}, "HTTP/1.1", parts[1])) {
    if (!monitor::telemetry::parse_authority(target->host)) __builtin_trap();
  }
  web::Parameters parameters;
  for (size_t i = 3; i + 1 < parts.size(); i += 2) parameters.emplace_back(parts[i], parts[i + 1]);
  using Type = web::Parameter::Type;
  constexpr int64_t kNow = 1'700'000'000'000'000'000;
  const auto query = web::Query::parse(parameters,
                                       {{.name = "agent", .most = 200},
                                        {.name = "from", .type = Type::kTime},
                                        {.name = "missing_after", .type = Type::kDuration},
                                        {.name = "points", .type = Type::kInteger, .min = 1, .max = 100},
                                        {.name = "cursor"}},
                                       kNow);
  if (query) (void)web::parse_cursor(query->text("cursor"));
  (void)web::EventBroadcaster("run", 100).number_of(parts[0]);
  monitor::metrics::Series series{.name = parts[0], .labels = {}, .unit = parts[1]};
  (void)web::prometheus_name(series);
  (void)web::prometheus_label(parts[2]);
  // The content of a damaged history.
  PointReader points(text);
  while (points.next()) {
  }
  CellReader cells(text);
  while (cells.next()) {
  }
  return 0;
}

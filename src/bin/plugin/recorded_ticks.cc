#include "bin/plugin/recorded_ticks.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

#include "base/text.h"
#include "base/time_format.h"
#include "plugin_wire/wire.h"

namespace monitor {

using nlohmann::json;

namespace {

// Types are checked by nlohmann's at() and get(), which throw: caught once, below.
metrics::Tick tick_from(const json& line, metrics::SeriesTable& table) {
  metrics::Tick tick;
  const auto time = parse_rfc3339(line.at("time").get<std::string>());
  if (!time) throw std::invalid_argument("time: " + time.error().message());
  tick.time_ns = tick.due_mono_ns = *time;
  for (const json& metric : line.at("metrics")) {
    metrics::Series series;
    series.name = metric.at("name").get<std::string>();
    series.unit = metric.value("unit", "");
    if (metric.value("kind", "") == "counter") series.kind = metrics::Kind::kCounter;
    if (metric.contains("labels")) {
      for (const auto& [name, value] : metric.at("labels").items()) {
        metrics::set_label(series.labels, name, value.get<std::string>());
      }
    }
    if (const std::string fault = plugin_wire::fault_of(series); !fault.empty()) throw std::invalid_argument(fault);
    const auto id = table.intern(std::move(series));
    if (!id) throw std::invalid_argument("too many series");
    const json& value = metric.at("value");
    metrics::Point point;
    point.series = *id;
    point.real = value.is_null() ? NAN : value.get<double>();
    tick.points.push_back(point);
  }
  return tick;
}

}  // namespace

Result<std::vector<metrics::Tick>> parse_recorded(std::string_view text, metrics::SeriesTable& table) {
  std::vector<metrics::Tick> ticks;
  int number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    if (trim(line).empty()) continue;
    try {
      ticks.push_back(tick_from(json::parse(line), table));
    } catch (const std::exception& e) {
      return Error(Code::kInvalidArgument, fmt::format("line {}: {}", number, e.what()));
    }
  }
  return ticks;
}

}  // namespace monitor

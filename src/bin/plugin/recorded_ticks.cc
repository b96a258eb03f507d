#include "bin/plugin/recorded_ticks.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <stdexcept>

#include "base/text.h"
#include "base/time_format.h"
#include "config/validate.h"
#include "plugins/wire/wire.h"

namespace monitor {

using nlohmann::json;

namespace {

[[noreturn]] void refuse(const std::string& what) { throw std::invalid_argument(what); }

const json& member(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) refuse(fmt::format("\"{}\" is missing", name));
  return *found;
}

std::string text_of(const json& value, const char* name) {
  if (!value.is_string()) refuse(fmt::format("\"{}\" must be a string; got {}", name, config::shortened(value)));
  return value.get<std::string>();
}

metrics::Series series_of(const json& metric) {
  metrics::Series series;
  series.name = text_of(member(metric, "name"), "name");
  if (metric.contains("unit")) series.unit = text_of(metric["unit"], "unit");
  if (metric.contains("kind") && metric["kind"] == "counter") series.kind = metrics::Kind::kCounter;
  if (metric.contains("labels")) {
    if (!metric["labels"].is_object()) refuse("\"labels\" must be an object with string values");
    for (const auto& [name, value] : metric["labels"].items()) {
      metrics::set_label(series.labels, name, text_of(value, "labels"));
    }
  }
  if (const std::string fault = plugin_wire::fault_of(series); !fault.empty()) refuse(fault);
  return series;
}

metrics::Point point_of(const json& metric, metrics::SeriesTable& table) {
  if (!metric.is_object()) refuse("must be an object; got " + config::shortened(metric));
  const auto id = table.intern(series_of(metric));
  if (!id) refuse(fmt::format("too many series: the limit of an agent is {}", table.size()));
  const json& value = member(metric, "value");
  if (!value.is_number() && !value.is_null()) {
    refuse("\"value\" must be a number, or null; got " + config::shortened(value));
  }
  metrics::Point point;
  point.series = *id;
  point.real = value.is_null() ? NAN : value.get<double>();
  return point;
}

// Throws an exception, which parse_recorded() catches.
metrics::Tick tick_from(const json& line, metrics::SeriesTable& table) {
  if (!line.is_object()) refuse("must be an object; got " + config::shortened(line));
  metrics::Tick tick;
  const auto time = parse_rfc3339(text_of(member(line, "time"), "time"));
  if (!time) refuse(time.error().message());
  tick.time_ns = tick.due_mono_ns = *time;
  const json& all = member(line, "metrics");
  if (!all.is_array()) refuse("\"metrics\" must be a list; got " + config::shortened(all));
  if (all.size() > plugin_wire::kMaxPoints) {
    refuse(fmt::format("\"metrics\" has {} points, the limit of a tick is {}", all.size(), plugin_wire::kMaxPoints));
  }
  for (size_t i = 0; i < all.size(); ++i) {
    try {
      tick.points.push_back(point_of(all[i], table));
    } catch (const std::invalid_argument& e) {
      refuse(fmt::format("/metrics/{}: {}", i, e.what()));
    }
  }
  return tick;
}

// Strips nlohmann's prefix from "[json.exception.parse_error.101] parse error at line 1, column 2: ...".
std::string without_prefix(std::string_view text) {
  for (const std::string_view end : {"] ", "parse error at line 1, "}) {
    if (const size_t at = text.find(end); at != std::string_view::npos) text.remove_prefix(at + end.size());
  }
  return std::string(text);
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
    } catch (const json::exception& e) {
      return Error(Code::kInvalidArgument, fmt::format("line {}: invalid JSON: {}", number, without_prefix(e.what())));
    } catch (const std::exception& e) {
      return Error(Code::kInvalidArgument, fmt::format("line {}: {}", number, e.what()));
    }
  }
  if (ticks.empty()) {
    return Error(Code::kInvalidArgument, "no tick found; expected lines as printed by get-metrics --format json");
  }
  return ticks;
}

}  // namespace monitor

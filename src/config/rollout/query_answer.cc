#include "config/rollout/query_answer.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <optional>
#include <string>

#include "base/text.h"

namespace monitor::config::rollout {

using nlohmann::json;

namespace {

constexpr size_t kShown = 300;
constexpr double kMillis = 1000;

std::optional<query::Point> point_of(const json& value) {
  if (!value.is_array() || value.size() != 2 || !value[0].is_number() || !value[1].is_string()) return std::nullopt;
  const double seconds = value[0].get<double>();
  const auto& text = value[1].get_ref<const std::string&>();
  double number = std::nan("");
  if (text == "+Inf") {
    number = INFINITY;
  } else if (text == "-Inf") {
    number = -INFINITY;
  } else if (text != "NaN") {
    const auto parsed = parse_double(text);
    if (!parsed) return std::nullopt;
    number = *parsed;
  }
  constexpr double kMostSeconds = 1e12;
  if (!(std::abs(seconds) < kMostSeconds)) return std::nullopt;
  return query::Point{static_cast<int64_t>(std::llround(seconds * kMillis)), number};
}

Error malformed(const std::string& what) {
  return Error(Code::kInvalidArgument, "the answer is not that of Prometheus' API: " + what);
}

}  // namespace

Result<std::vector<query::StoredSeries>> parse_query_answer(std::string_view body) {
  constexpr int kMostDepth = 8;
  const auto shallow = [](int depth, json::parse_event_t, json&) { return depth <= kMostDepth; };
  const json answer = json::parse(body, shallow, false);
  if (!answer.is_object()) return malformed(json_quote(body.substr(0, kShown)));
  if (answer.value("status", json()) != "success") {
    const json error = answer.value("error", json());
    return Error(Code::kUnavailable,
                 error.is_string() ? error.get<std::string>().substr(0, kShown) : "an error without text");
  }
  const json data = answer.value("data", json());
  const json result = data.is_object() ? data.value("result", json()) : json();
  if (!result.is_array()) return malformed("no result");
  std::vector<query::StoredSeries> found;
  for (const json& one : result) {
    if (!one.is_object() || !one.contains("metric") || !one["metric"].is_object() || !one.contains("values") ||
        !one["values"].is_array()) {
      return malformed("a series without metric or values");
    }
    query::StoredSeries series;
    for (const auto& [name, value] : one["metric"].items()) {
      if (value.is_string()) series.labels.set(name, value.get<std::string>());
    }
    for (const json& value : one["values"]) {
      const auto point = point_of(value);
      if (!point) return malformed("a value that is not one");
      if (!series.points.empty() && point->time_ms <= series.points.back().time_ms) return malformed("times that fall");
      series.points.push_back(*point);
    }
    found.push_back(std::move(series));
  }
  return found;
}

}  // namespace monitor::config::rollout

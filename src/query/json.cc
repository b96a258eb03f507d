#include "query/json.h"

#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <cmath>

namespace monitor::query {
namespace {

using Json = nlohmann::ordered_json;

Json point(const Point& of) { return Json::array({static_cast<double>(of.time_ms) / 1000, value_text(of.value)}); }

Json metric(const Labels& labels) {
  Json object = Json::object();
  for (const auto& [name, value] : labels.pairs()) object[name] = value;
  return object;
}

}  // namespace

std::string value_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 400> buffer{};
  // Go's %g with the fewest digits: an exponent below 1e-4 and from 1e21 on.
  const bool plain = value == 0 || (std::abs(value) >= 1e-4 && std::abs(value) < 1e21);
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format);
  return error == std::errc() ? std::string(buffer.data(), end) : std::to_string(value);
}

std::string to_json(const QueryResult& result, const QueryTimes& times, bool range) {
  Json data;
  if (result.type == ValueType::kString) {
    data = {{"resultType", "string"}, {"result", Json::array({static_cast<double>(times.end_ms) / 1000, result.text})}};
  } else if (result.type == ValueType::kScalar && !range) {
    data = {{"resultType", "scalar"}, {"result", point(result.series[0].points[0])}};
  } else {
    const bool matrix = range || result.type == ValueType::kMatrix;
    Json all = Json::array();
    for (const ResultSeries& series : result.series) {
      Json one = {{"metric", metric(series.labels)}};
      if (matrix) {
        one["values"] = Json::array();
        for (const Point& of : series.points) one["values"].push_back(point(of));
      } else {
        one["value"] = point(series.points[0]);
      }
      all.push_back(std::move(one));
    }
    data = {{"resultType", matrix ? "matrix" : "vector"}, {"result", std::move(all)}};
  }
  // Stored texts may be no UTF-8; the answer must be.
  return data.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace monitor::query

#include "query/json.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace monitor::query {
namespace {

// Go's shortest digits: an exponent below `least` and from 1e21 on.
std::string number_text(double value, double least) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 400> buffer{};
  const bool plain = value == 0 || (std::abs(value) >= least && std::abs(value) < 1e21);
  const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format);
  return error == std::errc() ? std::string(buffer.data(), end) : std::to_string(value);
}

// Seconds with three decimals, or none: 1435781451.781.
void append_time(int64_t ms, std::string& out) {
  // Unsigned, because -INT64_MIN does not exist.
  const uint64_t size = ms < 0 ? 0 - static_cast<uint64_t>(ms) : static_cast<uint64_t>(ms);
  if (ms < 0) out += '-';
  out += std::to_string(size / 1000);
  const std::string decimals = std::to_string(size % 1000);
  if (decimals != "0") out += "." + std::string(3 - decimals.size(), '0') + decimals;
}

void append_point(const Point& point, std::string& out) {
  out += '[';
  append_time(point.time_ms, out);
  out += ",\"";
  out += api_value_text(point.value);
  out += "\"]";
}

Status append_series(const ResultSeries& series, bool matrix, size_t most, std::string& out) {
  out += "{\"metric\":" + labels_json(series.labels);
  if (!matrix) {
    out += ",\"value\":";
    append_point(series.points[0], out);
    out += '}';
    return {};
  }
  out += ",\"values\":[";
  for (size_t i = 0; i < series.points.size(); ++i) {
    if (i > 0) out += ',';
    append_point(series.points[i], out);
    if (out.size() > most) {
      return Error(Code::kResourceExhausted, "the result has more than " + std::to_string(most) +
                                                 " bytes: select fewer series, a shorter time or a longer step");
    }
  }
  out += "]}";
  return {};
}

}  // namespace

std::string value_text(double value) { return number_text(value, 1e-4); }

std::string api_value_text(double value) { return number_text(value, 1e-6); }

std::string labels_json(const Labels& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels.pairs()) {
    if (out.size() > 1) out += ',';
    // Stored texts may be no UTF-8; the answer must be.
    out += json_quote(name) + ":" + json_quote(value);
  }
  return out + "}";
}

Status append_json(const QueryResult& result, const QueryTimes& times, bool range, size_t most, std::string& out) {
  if (result.type == ValueType::kString) {
    out += R"({"resultType":"string","result":[)";
    append_time(times.end_ms, out);
    out += "," + json_quote(result.text) + "]}";
    return {};
  }
  if (result.type == ValueType::kScalar && !range) {
    out += R"({"resultType":"scalar","result":)";
    append_point(result.series[0].points[0], out);
    out += '}';
    return {};
  }
  const bool matrix = range || result.type == ValueType::kMatrix;
  out += matrix ? R"({"resultType":"matrix","result":[)" : R"({"resultType":"vector","result":[)";
  for (size_t i = 0; i < result.series.size(); ++i) {
    if (i > 0) out += ',';
    if (auto status = append_series(result.series[i], matrix, most, out); !status) return status;
    if (out.size() > most) {
      return Error(Code::kResourceExhausted,
                   "the result has more than " + std::to_string(most) + " bytes: select fewer series");
    }
  }
  out += "]}";
  return {};
}

std::string to_json(const QueryResult& result, const QueryTimes& times, bool range) {
  std::string out;
  (void)append_json(result, times, range, SIZE_MAX, out);
  return out;
}

}  // namespace monitor::query

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <set>
#include <span>

#include "base/text.h"
#include "metrics/catalog/catalog.h"
#include "views/history/query.h"

namespace monitor::analysis::history {

namespace {

template <typename T>
void put(std::string& out, T value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out.append(buffer.data(), end.ptr);
}

void put_number(std::string& out, double value) {
  if (std::isfinite(value)) {
    put(out, value);
  } else {
    out += "null";
  }
}

template <typename T, typename Put>
void put_list(std::string& out, const char* name, const std::vector<T>& values, Put put_one) {
  out += fmt::format(",\"{}\":[", name);
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    put_one(out, values[i]);
  }
  out += ']';
}

void put_series(std::string& out, const RangeSeries& one, bool reduced) {
  constexpr int64_t kNanosPerMicro = 1000;
  out += fmt::format("{{\"agent\":{},\"metric\":{},\"labels\":{{", json_quote(one.agent), json_quote(one.series.name));
  for (size_t i = 0; i < one.series.labels.size(); ++i) {
    const auto& [name, value] = one.series.labels[i];
    out += fmt::format("{}{}:{}", i > 0 ? "," : "", json_quote(name), json_quote(value));
  }
  out += fmt::format("}},\"unit\":{},\"kind\":\"{}\"", json_quote(one.series.unit),
                     one.series.kind == metrics::Kind::kCounter ? "counter" : "gauge");
  // Seconds with microseconds, far below 2^53.
  put_list(out, "times", one.times_ns, [](std::string& text, int64_t ns) {
    const int64_t micros = ns / kNanosPerMicro;
    put(text, micros / 1'000'000);
    if (micros % 1'000'000 != 0) text += fmt::format(".{:06}", std::abs(micros % 1'000'000));
  });
  put_list(out, reduced ? "avg" : "values", one.values, put_number);
  if (reduced) {
    put_list(out, "min", one.min, put_number);
    put_list(out, "max", one.max, put_number);
    put_list(out, "count", one.counts, put<uint64_t>);
  }
  out += '}';
}

// Title and description of each metric in the range that a collector declares.
void put_metrics(std::string& out, const Range& range) {
  std::set<std::string_view> done;
  out += ",\"metrics\":{";
  for (const RangeSeries& one : range.series) {
    if (!done.insert(one.series.name).second) continue;
    const metrics::MetricSpec* const metric = metrics::find_metric(one.series.name);
    if (metric == nullptr) continue;
    if (out.back() != '{') out += ',';
    out += fmt::format("{}:{{\"title\":{},\"description\":{}}}", json_quote(metric->name), json_quote(metric->title),
                       json_quote(metric->description));
  }
  out += '}';
}

}  // namespace

std::string to_json(const Range& range, const RangeRequest& request, const std::string& live_id) {
  const bool reduced = range.resolution != Resolution::kFull;
  std::string out = fmt::format("{{\"resolution\":\"{}\",\"from\":{},\"to\":{},\"live_id\":{},\"series\":[",
                                to_string(range.resolution), json_number(static_cast<double>(request.from_ns) / 1e9),
                                json_number(static_cast<double>(request.to_ns) / 1e9), json_quote(live_id));
  for (size_t i = 0; i < range.series.size(); ++i) {
    if (i > 0) out += ',';
    put_series(out, range.series[i], reduced);
  }
  out += ']';
  put_metrics(out, range);
  return out + '}';
}

}  // namespace monitor::analysis::history

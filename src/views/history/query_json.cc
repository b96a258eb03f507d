#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <string_view>

#include "base/text.h"
#include "metrics/catalog/catalog.h"
#include "views/history/query.h"

namespace monitor::analysis::history {

namespace {

// Numbers are written into a buffer, which is far larger than any of them, and appended at once.
using Buffer = std::array<char, 64>;

template <typename T>
char* write(char* at, T value) {
  constexpr size_t kLongest = 32;
  return std::to_chars(at, at + kLongest, value).ptr;
}

// A fraction with an even number of digits after the point, without the zeros at its end.
template <int kDigits>
char* write_fraction(char* at, uint32_t fraction) {
  if (fraction == 0) return at;
  *at = '.';
  char* end = at + 1 + kDigits;
  for (char* digit = end; digit > at + 1; fraction /= 10) *--digit = static_cast<char>('0' + fraction % 10);
  while (end[-1] == '0') --end;
  return end;
}

// Most values have few decimals, and writing those digits is several times faster than finding the shortest ones of any
// double. `whole` / 10^4 is the double that is nearest to these digits, so a reader of the text gets `value` again.
// Returns null for other values.
char* write_decimal(char* at, double value) {
  constexpr double kPower = 1e4;
  constexpr double kMost = 1e15;
  const double product = value * kPower;
  if (!(std::abs(product) < kMost)) return nullptr;
  const auto whole = static_cast<int64_t>(product < 0 ? product - 0.5 : product + 0.5);
  if (static_cast<double>(whole) / kPower != value || (whole == 0 && std::signbit(value))) return nullptr;
  if (whole < 0) *at++ = '-';
  const auto digits = static_cast<uint64_t>(std::abs(whole));
  return write_fraction<4>(write(at, digits / 10'000), static_cast<uint32_t>(digits % 10'000));
}

char* write_value(char* at, double value) {
  if (char* const end = write_decimal(at, value); end != nullptr) return end;
  if (std::isfinite(value)) return write(at, value);
  constexpr std::string_view kNull = "null";
  return std::copy(kNull.begin(), kNull.end(), at);
}

// Seconds with microseconds, far below 2^53.
char* write_time(char* at, int64_t ns) {
  constexpr int64_t kNanosPerMicro = 1000;
  constexpr int64_t kMicros = 1'000'000;
  const int64_t micros = ns / kNanosPerMicro;
  if (micros < 0 && micros > -kMicros) *at++ = '-';
  return write_fraction<6>(write(at, micros / kMicros), static_cast<uint32_t>(std::abs(micros % kMicros)));
}

template <typename T, typename Write>
void put_list(std::string& out, const char* name, const std::vector<T>& values, Write write_one) {
  out += fmt::format(",\"{}\":[", name);
  Buffer buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
  for (const T& value : values) {
    char* const end = write_one(buffer.data(), value);
    *end = ',';
    out.append(buffer.data(), end + 1);
  }
  if (!values.empty()) out.pop_back();
  out += ']';
}

// The texts of the times of the last series: the next one of the agent nearly always has the same.
struct TimesText {
  const std::vector<int64_t>* times = nullptr;
  std::string text;
};

void put_times(std::string& out, const std::vector<int64_t>& times, TimesText& last) {
  if (last.times == nullptr || *last.times != times) {
    last.text.clear();
    put_list(last.text, "times", times, write_time);
  }
  last.times = &times;
  out += last.text;
}

void put_series(std::string& out, const RangeSeries& one, bool reduced, TimesText& last) {
  out += fmt::format("{{\"agent\":{},\"metric\":{},\"labels\":{{", json_quote(one.agent), json_quote(one.series.name));
  for (size_t i = 0; i < one.series.labels.size(); ++i) {
    const auto& [name, value] = one.series.labels[i];
    out += fmt::format("{}{}:{}", i > 0 ? "," : "", json_quote(name), json_quote(value));
  }
  out += fmt::format("}},\"unit\":{},\"kind\":\"{}\"", json_quote(one.series.unit),
                     one.series.kind == metrics::Kind::kCounter ? "counter" : "gauge");
  put_times(out, one.times_ns, last);
  put_list(out, reduced ? "avg" : "values", one.values, write_value);
  if (reduced) {
    put_list(out, "min", one.min, write_value);
    put_list(out, "max", one.max, write_value);
    put_list(out, "count", one.counts, write<uint64_t>);
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
  constexpr size_t kPointBytes = 25;
  size_t points = 0;
  for (const RangeSeries& one : range.series) points += one.times_ns.size();
  out.reserve(points * kPointBytes);  // a guess; growing step by step would copy the text many times
  TimesText last;
  for (size_t i = 0; i < range.series.size(); ++i) {
    if (i > 0) out += ',';
    put_series(out, range.series[i], reduced, last);
  }
  out += ']';
  put_metrics(out, range);
  return out + '}';
}

}  // namespace monitor::analysis::history

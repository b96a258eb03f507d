#include "views/history/range_json.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/text.h"
#include "metrics/catalog/catalog.h"

namespace monitor::analysis::history {

namespace {

// Numbers are written into a buffer, which is appended when it is nearly full.
constexpr size_t kBuffer = 8192;
constexpr size_t kLongest = 40;  // of a number with a comma

// "00" to "99".
constexpr std::array<char, 200> kPairs = [] {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs.at(2 * i) = static_cast<char>('0' + i / 10);
    pairs.at(2 * i + 1) = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

template <typename T>
char* write(char* at, T value) {
  return std::to_chars(at, at + kLongest, value).ptr;
}

// A fraction with an even number of digits after the point, without the zeros at its end.
template <int kDigits>
char* write_fraction(char* at, uint32_t fraction) {
  if (fraction == 0) return at;
  *at = '.';
  char* end = at + 1 + kDigits;
  for (char* digits = end; digits > at + 1; fraction /= 100) {
    digits -= 2;
    std::memcpy(digits, kPairs.data() + size_t{2} * (fraction % 100), 2);
  }
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
  const uint64_t integer = digits / 10'000;
  if (integer < 10) {
    *at++ = static_cast<char>('0' + integer);
  } else {
    at = write(at, integer);
  }
  return write_fraction<4>(at, static_cast<uint32_t>(digits % 10'000));
}

char* write_value(char* at, double value) {
  if (char* const end = write_decimal(at, value); end != nullptr) return end;
  if (std::isfinite(value)) return write(at, value);
  constexpr std::string_view kNull = "null";
  return std::copy(kNull.begin(), kNull.end(), at);
}

// Seconds with microseconds, far below 2^53. The seconds of most times follow one another.
class TimeWriter {
 public:
  char* operator()(char* at, int64_t ns) {
    constexpr int64_t kNanosPerMicro = 1000;
    constexpr int64_t kMicros = 1'000'000;
    const int64_t micros = ns / kNanosPerMicro;
    const int64_t second = micros / kMicros;
    if (micros < 0) {
      if (second == 0) *at++ = '-';
      at = write(at, second);
    } else {
      go_to(second);
      std::memcpy(at, text_.data(), text_.size());
      at += length_;
    }
    return write_fraction<6>(at, static_cast<uint32_t>(std::abs(micros % kMicros)));
  }

 private:
  void go_to(int64_t second) {
    if (second == second_) return;
    if (second == second_ + 1 && text_.at(length_ - 1) < '9') {
      ++text_.at(length_ - 1);
    } else {
      length_ = static_cast<size_t>(write(text_.data(), second) - text_.data());
    }
    second_ = second;
  }

  int64_t second_ = -2;
  size_t length_ = 1;
  std::array<char, kLongest> text_{'9'};
};

// A long text is written once from its beginning to its end, and the kernel would need as long as the writing to supply
// its pages one by one.
void prefer_large_pages(const std::string& text) {
  constexpr size_t kPage = size_t{2} << 20;
  if (text.capacity() < 4 * kPage) return;
  // madvise() needs whole pages; the text's beginning and end are in others.
  const auto address = reinterpret_cast<uintptr_t>(text.data());
  const uintptr_t begin = (address + kPage - 1) / kPage * kPage;
  const uintptr_t end = (address + text.capacity()) / kPage * kPage;
  // It is advice: a kernel without large pages refuses it.
  if (begin < end) (void)madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

template <typename T, typename Write>
void put_list(std::string& out, const char* name, const std::vector<T>& values, Write write_one) {
  out += fmt::format(",\"{}\":[", name);
  std::array<char, kBuffer + kLongest> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before read
  char* const full = buffer.data() + kBuffer - kLongest;
  char* end = buffer.data();
  for (const T& value : values) {
    end = write_one(end, value);
    *end++ = ',';
    if (end >= full) {
      out.append(buffer.data(), end);
      end = buffer.data();
    }
  }
  out.append(buffer.data(), end);
  if (!values.empty()) out.pop_back();
  out += ']';
}

}  // namespace

RangeJson::RangeJson(const RangeRequest& request, Resolution resolution, const std::string& live_id)
    : request_(request), reduced_(resolution != Resolution::kFull) {
  out_ = fmt::format("{{\"resolution\":\"{}\",\"from\":{},\"to\":{},\"live_id\":{},\"series\":[", to_string(resolution),
                     json_number(static_cast<double>(request.from_ns) / 1e9),
                     json_number(static_cast<double>(request.to_ns) / 1e9), json_quote(live_id));
}

void RangeJson::add(std::span<const RangeSeries> series) {
  const size_t before = out_.size();
  for (const RangeSeries& one : series) put_series(one);
  ++agents_;
  make_room(out_.size() - before);
}

// The other agents will probably need as much; growing step by step would copy the text many times.
void RangeJson::make_room(size_t added) {
  if (agents_ >= request_.agents.size() || out_.capacity() - out_.size() >= added) return;
  const size_t left = request_.agents.size() - agents_;
  out_.reserve(out_.size() + left * (added + added / 32));
  prefer_large_pages(out_);
}

void RangeJson::put_times(const std::vector<int64_t>& times) {
  if (times_text_.empty() || times_ != times) {
    times_text_.clear();
    put_list(times_text_, "times", times, TimeWriter());
    times_ = times;
  }
  out_ += times_text_;
}

void RangeJson::put_series(const RangeSeries& one) {
  if (!first_) out_ += ',';
  first_ = false;
  out_ += fmt::format("{{\"agent\":{},\"metric\":{},\"labels\":{{", json_quote(one.agent), json_quote(one.series.name));
  for (size_t i = 0; i < one.series.labels.size(); ++i) {
    const auto& [name, value] = one.series.labels[i];
    out_ += fmt::format("{}{}:{}", i > 0 ? "," : "", json_quote(name), json_quote(value));
  }
  out_ += fmt::format("}},\"unit\":{},\"kind\":\"{}\"", json_quote(one.series.unit),
                      one.series.kind == metrics::Kind::kCounter ? "counter" : "gauge");
  put_times(one.times_ns);
  put_list(out_, reduced_ ? "avg" : "values", one.values, write_value);
  if (reduced_) {
    put_list(out_, "min", one.min, write_value);
    put_list(out_, "max", one.max, write_value);
    put_list(out_, "count", one.counts, write<uint64_t>);
  }
  out_ += '}';
  if (std::ranges::find(metrics_, one.series.name) == metrics_.end()) metrics_.push_back(one.series.name);
}

// With title and description of each metric in the range that a collector declares.
std::string RangeJson::finish() {
  out_ += "],\"metrics\":{";
  for (const std::string& name : metrics_) {
    const metrics::MetricSpec* const metric = metrics::find_metric(name);
    if (metric == nullptr) continue;
    if (out_.back() != '{') out_ += ',';
    out_ += fmt::format("{}:{{\"title\":{},\"description\":{}}}", json_quote(metric->name), json_quote(metric->title),
                        json_quote(metric->description));
  }
  out_ += "}}";
  return std::move(out_);
}

std::string to_json(const Range& range, const RangeRequest& request, const std::string& live_id) {
  RangeJson json(request, range.resolution, live_id);
  const std::span<const RangeSeries> all(range.series);
  for (size_t begin = 0, end = 0; begin < all.size(); begin = end) {
    while (end < all.size() && all[end].agent == all[begin].agent) ++end;
    json.add(all.subspan(begin, end - begin));
  }
  return json.finish();
}

}  // namespace monitor::analysis::history

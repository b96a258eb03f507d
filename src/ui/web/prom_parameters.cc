#include "ui/web/prom_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/hex.h"
#include "base/text.h"
#include "base/time_format.h"
#include "query/duration.h"
#include "query/labels.h"
#include "query/parser.h"

namespace monitor::analysis::web {

namespace {

constexpr size_t kMostParameters = 1000;
constexpr size_t kMostSelectors = 100;
constexpr size_t kLongestEcho = 64;  // bytes of a wrong value that an error quotes
// Times are bounded, so that sums of a time, an offset and a range do not overflow.
constexpr int64_t kMostMs = int64_t{1} << 60;

Error wrong(std::string_view name, const std::string& why) {
  return Error(Code::kInvalidArgument, fmt::format("invalid parameter {}: {}", json_quote(name), why));
}

std::string echo(const std::string& text) { return json_quote(text.substr(0, kLongestEcho)); }

Result<std::string> unescape_form(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const auto byte = unhex(text.substr(i + 1, 2));
    if (!byte || byte->size() != 1) {
      return Error(Code::kInvalidArgument,
                   fmt::format("error parsing form values: invalid URL escape {}", json_quote(text.substr(i, 3))));
    }
    out += *byte;
    i += 2;
  }
  return out;
}

bool is_form(const Request& request) {
  const auto types = header_values(request, "Content-Type");
  if (types.empty()) return false;
  std::string type(trim(std::string_view(types[0]).substr(0, types[0].find(';'))));
  std::ranges::transform(type, type.begin(), [](unsigned char c) { return std::tolower(c); });
  return type == "application/x-www-form-urlencoded";
}

// The seconds as milliseconds; nothing for what is too far away, and for NaN.
std::optional<int64_t> to_ms(double seconds) {
  if (!(std::abs(seconds) < static_cast<double>(kMostMs) / 1000)) return std::nullopt;
  return static_cast<int64_t>(std::llround(seconds * 1000));
}

// The texts of Prometheus for "the beginning" and "the end" of time.
std::optional<int64_t> extreme_time(std::string_view text) {
  if (text == "-292273086-05-16T16:47:06Z") return -kMostMs;
  if (text == "292277025-08-18T07:12:54.999999999Z") return kMostMs;
  return std::nullopt;
}

}  // namespace

Result<Parameters> parse_form(std::string_view body) {
  Parameters found;
  if (body.empty()) return found;
  for (const std::string_view pair : split(body, '&')) {
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    auto name = unescape_form(pair.substr(0, equals));
    if (!name) return name.error();
    auto value = unescape_form(pair.substr(std::min(equals + 1, pair.size())));
    if (!value) return value.error();
    found.emplace_back(std::move(*name), std::move(*value));
    if (found.size() > kMostParameters) {
      return Error(Code::kInvalidArgument,
                   fmt::format("error parsing form values: more than {} parameters", kMostParameters));
    }
  }
  return found;
}

std::string unescape_label_name(std::string_view name) {
  constexpr std::string_view kEscaped = "U__";
  if (!name.starts_with(kEscaped)) return std::string(name);
  std::string out;
  const std::string_view text = name.substr(kEscaped.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == '_') {
      out += '_';
      ++i;
      continue;
    }
    const size_t end = text.find('_', i + 1);
    const std::string_view code = text.substr(i + 1, end == std::string_view::npos ? 0 : end - i - 1);
    // A code point in hexadecimal; those of ASCII suffice for the names of metrics and labels.
    const auto byte = code.size() == 2 ? unhex(code) : std::nullopt;
    if (!byte || (static_cast<unsigned char>((*byte)[0]) & 0x80U) != 0) return std::string(name);
    out += *byte;
    i = end;
  }
  return out;
}

Result<PromParameters> PromParameters::read(const Request& request) {
  PromParameters parameters;
  if (request.method == "POST" && is_form(request)) {
    auto form = parse_form(request.body);
    if (!form) return form.error();
    parameters.given_ = std::move(*form);
  }
  parameters.given_.insert(parameters.given_.end(), request.parameters.begin(), request.parameters.end());
  if (parameters.given_.size() > kMostParameters) {
    return Error(Code::kInvalidArgument,
                 fmt::format("got {} parameters; at most {} are accepted", parameters.given_.size(), kMostParameters));
  }
  for (const auto& [name, value] : parameters.given_) {
    if (!valid_utf8(name) || !valid_utf8(value)) return wrong(name.substr(0, kLongestEcho), "it is not UTF-8");
  }
  return parameters;
}

std::string PromParameters::first(std::string_view name) const {
  for (const auto& [known, value] : given_) {
    if (known == name) return value;
  }
  return {};
}

std::vector<std::string> PromParameters::all(std::string_view name) const {
  std::vector<std::string> found;
  for (const auto& [known, value] : given_) {
    if (known == name) found.push_back(value);
  }
  return found;
}

Result<std::optional<int64_t>> PromParameters::time_ms(std::string_view name) const {
  const std::string text = first(name);
  if (text.empty()) return std::optional<int64_t>();
  std::optional<int64_t> ms = extreme_time(text);
  if (!ms) {
    if (const auto seconds = parse_double(text)) {
      ms = to_ms(*seconds);
    } else if (const auto time = parse_rfc3339(text)) {
      ms = *time / 1'000'000;
    }
  }
  if (!ms) return wrong(name, fmt::format("cannot parse {} to a valid timestamp", echo(text)));
  return ms;
}

Result<std::optional<int64_t>> PromParameters::duration_ms(std::string_view name) const {
  const std::string text = first(name);
  if (text.empty()) return std::optional<int64_t>();
  std::optional<int64_t> ms;
  if (const auto seconds = parse_double(text)) {
    ms = to_ms(*seconds);
    // A step of half a millisecond is no step of 0.
    if (ms && *ms == 0 && *seconds > 0) ms = 1;
  } else {
    ms = query::parse_duration_ms(text);
    if (ms && *ms > kMostMs) ms.reset();
  }
  if (!ms) return wrong(name, fmt::format("cannot parse {} to a valid duration", echo(text)));
  return ms;
}

Result<size_t> PromParameters::count(std::string_view name) const {
  const std::string text = first(name);
  if (text.empty()) return size_t{0};
  const auto number = parse_i64(text);
  if (!number) return wrong(name, fmt::format("cannot parse {} to an integer", echo(text)));
  if (*number < 0) return wrong(name, "it must not be negative");
  return static_cast<size_t>(*number);
}

Result<std::vector<std::vector<query::Matcher>>> PromParameters::selectors() const {
  std::vector<std::vector<query::Matcher>> found;
  const std::vector<std::string> texts = all("match[]");
  if (texts.size() > kMostSelectors) {
    return wrong("match[]", fmt::format("got {} selectors; at most {} are accepted", texts.size(), kMostSelectors));
  }
  size_t regexes = 0;
  for (const std::string& text : texts) {
    auto matchers = query::parse_selector(text);
    if (!matchers) return wrong("match[]", matchers.error().message());
    for (const query::Matcher& one : *matchers) regexes += one.has_regex() ? 1 : 0;
    if (regexes > query::kMaxRegexes) {
      return wrong("match[]", fmt::format("more than {} regular expressions", query::kMaxRegexes));
    }
    found.push_back(std::move(*matchers));
  }
  return found;
}

Result<query::QueryTimes> PromParameters::range() const {
  const auto start = time_ms("start");
  const auto end = time_ms("end");
  const auto step = duration_ms("step");
  for (const std::string_view name : {"start", "end"}) {
    if (!has(name)) return wrong(name, "cannot parse \"\" to a valid timestamp");
  }
  if (!start || !end) return start ? end.error() : start.error();
  if (**end < **start) return wrong("end", "end timestamp must not be before start time");
  if (!has("step")) return wrong("step", "cannot parse \"\" to a valid duration");
  if (!step) return step.error();
  if (**step <= 0) {
    return wrong("step", "zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  if (static_cast<uint64_t>(**end - **start) / static_cast<uint64_t>(**step) > PromParameters::kMostSteps) {
    return Error(Code::kInvalidArgument,
                 "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution "
                 "(?step=XX)");
  }
  return query::QueryTimes{.start_ms = **start, .end_ms = **end, .step_ms = **step};
}

}  // namespace monitor::analysis::web

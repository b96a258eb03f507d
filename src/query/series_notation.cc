#include "query/series_notation.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "query/parser.h"
#include "query/series.h"
#include "query/token_stream.h"

namespace monitor::query {
namespace {

Error bad(std::string_view item, const std::string& why) {
  return Error(Code::kInvalidArgument, "sample " + quote_short(item) + ": " + why);
}

std::optional<size_t> parse_count(std::string_view text) {
  size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return count;
}

// Where the step begins in "0+10", "1e+3-5": the first sign that belongs to no exponent and is not the value's own.
size_t step_at(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if ((text[i] == '+' || text[i] == '-') && text[i - 1] != 'e' && text[i - 1] != 'E') return i;
  }
  return std::string_view::npos;
}

Status add_item(std::string_view item, SampleSequence& samples) {
  if (item.starts_with("{{")) return Error(Code::kUnimplemented, "native histograms are not supported");
  // "0x59" is a zero and 59 more, not a hexadecimal number.
  const size_t times = item.find('x');
  const std::string_view first = item.substr(0, times);
  size_t repeats = 0;
  if (times != std::string_view::npos) {
    const auto count = parse_count(item.substr(times + 1));
    if (!count) return bad(item, "a whole number must follow the x");
    repeats = *count;
  }
  if (repeats >= kMaxNotationSamples || samples.size() + repeats >= kMaxNotationSamples) {
    return bad(item, "a series has at most " + std::to_string(kMaxNotationSamples) + " samples");
  }
  if (first == "_") {
    // "_x3" is three steps, but "1x3" is a value and three more.
    samples.insert(samples.end(), times == std::string_view::npos ? 1 : repeats, std::nullopt);
    return {};
  }
  if (first == "stale") {
    samples.insert(samples.end(), repeats + 1, stale_marker());
    return {};
  }
  const size_t step_begin = times == std::string_view::npos ? std::string_view::npos : step_at(first);
  const auto value = parse_value(first.substr(0, step_begin));
  const auto step =
      step_begin == std::string_view::npos ? std::optional<double>(0) : parse_value(first.substr(step_begin));
  if (!value || !step) return bad(item, "expected a number, _, stale, or the form 0+10x5");
  double now = *value;
  for (size_t i = 0; i <= repeats; ++i) {
    samples.push_back(now);
    now += *step;
  }
  return {};
}

}  // namespace

std::optional<double> parse_value(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = negative || text.starts_with('+') ? text.substr(1) : text;
  const std::string word = lower(std::string(digits));
  double value = 0;
  if (word == "inf" || word == "infinity") {
    value = std::numeric_limits<double>::infinity();
  } else if (word == "nan") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (word.starts_with("0x")) {
    uint64_t whole = 0;
    const auto [end, error] = std::from_chars(word.data() + 2, word.data() + word.size(), whole, 16);
    if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
    value = static_cast<double>(whole);
  } else {
    if (word.empty() || (std::isdigit(static_cast<unsigned char>(word[0])) == 0 && word[0] != '.')) return std::nullopt;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  }
  return negative ? -value : value;
}

Result<SampleSequence> parse_samples(std::string_view text) {
  SampleSequence samples;
  while (true) {
    const size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return samples;
    text.remove_prefix(begin);
    const size_t length = text.starts_with("{{") ? text.find("}}") : text.find_first_of(" \t\r\n");
    const std::string_view item = text.substr(0, length);
    if (auto status = add_item(item, samples); !status) return status.error();
    text.remove_prefix(item.size());
  }
}

Result<NotedSeries> parse_noted_series(std::string_view text) {
  // The samples would be no tokens of a query, so the series is cut off first: at the brace that closes it, outside
  // quotes.
  size_t end = text.find_first_of("{ \t");
  if (end != std::string_view::npos && text[end] == '{') {
    char open_quote = '\0';
    for (; end < text.size(); ++end) {
      const char c = text[end];
      if (open_quote != '\0') {
        if (c == '\\' && open_quote != '`') ++end;
        if (c == open_quote) open_quote = '\0';
      } else if (c == '"' || c == '\'' || c == '`') {
        open_quote = c;
      } else if (c == '}') {
        break;
      }
    }
    end = std::min(end + 1, text.size());
  }
  const std::string_view series = text.substr(0, end);
  NotedSeries noted{.labels = {}, .rest = end == std::string_view::npos ? std::string_view() : text.substr(end)};
  if (series == "{}") return noted;
  auto matchers = parse_selector(series);
  if (!matchers) return matchers.error();
  for (const Matcher& matcher : *matchers) {
    if (matcher.kind() != Matcher::Kind::kEqual) {
      return Error(Code::kInvalidArgument, "a series has labels with \"=\" only, not " + matcher.to_string());
    }
    noted.labels.set(matcher.label(), matcher.value());
  }
  return noted;
}

}  // namespace monitor::query

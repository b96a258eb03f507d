#include "rules/template_numbers.h"

#include <fmt/format.h>
#include <fmt/printf.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <span>
#include <string>

#include "base/text.h"
#include "base/time_format.h"
#include "query/json.h"
#include "query/series_notation.h"

namespace monitor::rules::templates {

namespace {

using Value = TemplateValue;

Result<double> number(const Value& value) {
  if (const auto* const real = std::get_if<double>(&value.data)) return *real;
  if (const auto* const whole = std::get_if<int64_t>(&value.data)) return static_cast<double>(*whole);
  if (const auto* const text = std::get_if<std::string>(&value.data)) {
    if (const auto parsed = query::parse_value(*text)) return *parsed;
  }
  return Error(Code::kInvalidArgument, fmt::format("got {} {}, expected a number", value.type_name(), value.text()));
}

// Go's %.4g.
std::string four_digits(double value) {
  return std::isfinite(value) ? fmt::sprintf("%.4g", value) : query::value_text(value);
}

using Prefixes = std::array<std::string_view, 8>;
constexpr Prefixes kLarge = {"k", "M", "G", "T", "P", "E", "Z", "Y"};
constexpr Prefixes kBinary = {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
constexpr Prefixes kSmall = {"m", "u", "n", "p", "f", "a", "z", "y"};

std::string scaled_down(double value, double base, const Prefixes& prefixes) {
  std::string_view prefix;
  for (const std::string_view one : prefixes) {
    if (std::abs(value) < base) break;
    prefix = one;
    value /= base;
  }
  return four_digits(value) + std::string(prefix);
}

std::string scaled_up(double value) {
  std::string_view prefix;
  for (const std::string_view one : kSmall) {
    if (std::abs(value) >= 1) break;
    prefix = one;
    value *= 1000;
  }
  return four_digits(value) + std::string(prefix);
}

std::string duration_text(double value) {
  constexpr double kMost = 9e18;
  if (!std::isfinite(value) || std::abs(value) > kMost) return four_digits(value);
  if (value == 0) return "0s";
  if (std::abs(value) < 1) return scaled_up(value) + "s";
  const std::string sign = value < 0 ? "-" : "";
  const auto whole = static_cast<int64_t>(std::abs(value));
  const int64_t seconds = whole % 60;
  const int64_t minutes = whole / 60 % 60;
  const int64_t hours = whole / 3600 % 24;
  const int64_t days = whole / 86400;
  if (days != 0) return fmt::format("{}{}d {}h {}m {}s", sign, days, hours, minutes, seconds);
  if (hours != 0) return fmt::format("{}{}h {}m {}s", sign, hours, minutes, seconds);
  if (minutes != 0) return fmt::format("{}{}m {}s", sign, minutes, seconds);
  return sign + four_digits(std::abs(value)) + "s";
}

// As Go prints a time, in UTC: 2022-01-25 12:36:43 +0000 UTC.
std::string timestamp_text(double value) {
  constexpr double kMost = 9e9;
  if (!std::isfinite(value) || std::abs(value) > kMost) return four_digits(value);
  std::string text = format_rfc3339(static_cast<int64_t>(std::llround(value * 1000)) * 1'000'000, 3);
  text.pop_back();  // the Z
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  text[text.find('T')] = ' ';
  return text + " +0000 UTC";
}

template <typename F>
Result<Value> of_number(Arguments arguments, F print) {
  const auto value = number(arguments[0]);
  if (!value) return value.error();
  return Value{print(*value)};
}

// One verb of a format: %[flags][width][.precision]VERB.
struct Verb {
  std::string flags;
  char letter = 0;
};

std::string bad(const Verb& verb, const Value& value) {
  return fmt::format("%!{}({}={})", verb.letter, value.type_name(), value.text());
}

std::string formatted_integer(const Verb& verb, int64_t value) {
  return fmt::sprintf("%" + verb.flags + verb.letter, value);
}

std::string formatted_real(const Verb& verb, double value) {
  if (!std::isfinite(value)) {
    const size_t digits = verb.flags.find('.');
    return fmt::sprintf("%" + verb.flags.substr(0, digits) + "s", query::value_text(value));
  }
  const bool shortest = verb.letter == 'v' || (verb.letter == 'g' && verb.flags.find('.') == std::string::npos);
  if (shortest) return fmt::sprintf("%" + verb.flags + "s", query::value_text(value));
  return fmt::sprintf("%" + verb.flags + verb.letter, value);
}

std::string formatted(const Verb& verb, const Value& value) {
  const std::string kText = "%" + verb.flags + "s";
  if (const auto* const real = std::get_if<double>(&value.data)) {
    static constexpr std::string_view kReal = "feEgGFv";
    return kReal.find(verb.letter) != std::string_view::npos ? formatted_real(verb, *real) : bad(verb, value);
  }
  if (const auto* const whole = std::get_if<int64_t>(&value.data)) {
    if (verb.letter == 'v') return formatted_integer({verb.flags, 'd'}, *whole);
    static constexpr std::string_view kWhole = "dxXoc";
    return kWhole.find(verb.letter) != std::string_view::npos ? formatted_integer(verb, *whole) : bad(verb, value);
  }
  if (const auto* const text = std::get_if<std::string>(&value.data)) {
    if (verb.letter == 's' || verb.letter == 'v') return fmt::sprintf(kText, *text);
    if (verb.letter == 'q') return fmt::sprintf(kText, json_quote(*text));
    return bad(verb, value);
  }
  if (verb.letter == 'v' || (verb.letter == 't' && std::holds_alternative<bool>(value.data)) ||
      (verb.letter == 's' && !std::holds_alternative<bool>(value.data))) {
    return fmt::sprintf(kText, value.is_nothing() ? "<nil>" : value.text());
  }
  return bad(verb, value);
}

}  // namespace

Result<TemplateValue> humanize(Arguments arguments, const TemplateContext& /*context*/) {
  return of_number(arguments, [](double value) {
    if (value == 0 || !std::isfinite(value)) return four_digits(value);
    return std::abs(value) >= 1 ? scaled_down(value, 1000, kLarge) : scaled_up(value);
  });
}

Result<TemplateValue> humanize1024(Arguments arguments, const TemplateContext& /*context*/) {
  return of_number(arguments, [](double value) {
    if (std::abs(value) <= 1 || !std::isfinite(value)) return four_digits(value);
    return scaled_down(value, 1024, kBinary);
  });
}

Result<TemplateValue> humanize_duration(Arguments arguments, const TemplateContext& /*context*/) {
  return of_number(arguments, duration_text);
}

Result<TemplateValue> humanize_percentage(Arguments arguments, const TemplateContext& /*context*/) {
  return of_number(arguments, [](double value) { return four_digits(value * 100) + "%"; });
}

Result<TemplateValue> humanize_timestamp(Arguments arguments, const TemplateContext& /*context*/) {
  return of_number(arguments, timestamp_text);
}

std::string format_as_go(std::string_view format, Arguments arguments) {
  std::string out;
  size_t used = 0;
  for (size_t i = 0; i < format.size() && out.size() <= kMaxExpandedBytes; ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    Verb verb;
    static constexpr std::string_view kFlags = "+- #0123456789.";
    for (++i; i < format.size() && kFlags.find(format[i]) != std::string_view::npos; ++i) verb.flags += format[i];
    if (i >= format.size()) return out + "%!(NOVERB)";
    verb.letter = format[i];
    if (verb.letter == '%') {
      out += '%';
      continue;
    }
    // A width of more than three digits is no layout for people.
    size_t digits = 0;
    for (const char c : verb.flags) {
      digits = c >= '0' && c <= '9' ? digits + 1 : 0;
      if (digits > 3) return out + fmt::format("%!{}(BADWIDTH)", verb.letter);
    }
    if (std::ranges::count(verb.flags, '.') > 1) return out + fmt::format("%!{}(BADPREC)", verb.letter);
    try {
      out += used < arguments.size() ? formatted(verb, arguments[used]) : fmt::format("%!{}(MISSING)", verb.letter);
    } catch (const fmt::format_error&) {
      out += fmt::format("%!{}(BADFORMAT)", verb.letter);
    }
    ++used;
  }
  if (used < arguments.size()) {
    std::string extra;
    for (const Value& one : arguments.subspan(used)) {
      extra += fmt::format("{}{}={}", extra.empty() ? "" : ", ", one.type_name(), one.text());
    }
    out += "%!(EXTRA " + extra + ")";
  }
  return out;
}

}  // namespace monitor::rules::templates

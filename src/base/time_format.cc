#include "base/time_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <utility>

#include "base/clock.h"
#include "base/text.h"

namespace monitor {

namespace {

// Days since 1970-01-01 of a date of the proleptic Gregorian calendar, and back
// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

struct Civil {
  int64_t year;
  int64_t month;
  int64_t day;
};

Civil civil_from_days(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const int64_t day_of_era = days - era * 146097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const int64_t month = shifted_month + (shifted_month < 10 ? 3 : -9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

// Reads exactly `width` digits.
bool digits(std::string_view& text, size_t width, int64_t& value) {
  if (text.size() < width) return false;
  value = 0;
  for (size_t i = 0; i < width; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(width);
  return true;
}

bool literal(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// Fraction after the point, in nanoseconds; at most nine digits.
bool fraction(std::string_view& text, int64_t& nanos) {
  int64_t scale = kNanosPerSecond;
  size_t count = 0;
  nanos = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    if (++count > 9) return false;
    scale /= 10;
    nanos += (text[0] - '0') * scale;
    text.remove_prefix(1);
  }
  return count > 0;
}

// "Z" or "+hh:mm"; offset in seconds.
bool zone(std::string_view& text, int64_t& offset) {
  if (literal(text, "Zz")) {
    offset = 0;
    return true;
  }
  if (text.empty()) return false;
  const int64_t sign = text[0] == '-' ? -1 : 1;
  int64_t hours = 0;
  int64_t minutes = 0;
  if (!literal(text, "+-") || !digits(text, 2, hours) || !literal(text, ":") || !digits(text, 2, minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  offset = sign * (hours * 3600 + minutes * 60);
  return true;
}

int64_t days_in_month(int64_t year, int64_t month) {
  static constexpr std::array<int64_t, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<size_t>(month - 1)];
}

constexpr std::array<std::pair<std::string_view, int64_t>, 7> kUnits = {{
    {"d", 86'400 * kNanosPerSecond},
    {"h", 3'600 * kNanosPerSecond},
    {"m", 60 * kNanosPerSecond},
    {"s", kNanosPerSecond},
    {"ms", kNanosPerMilli},
    {"us", 1'000},
    {"ns", 1},
}};

}  // namespace

std::string format_rfc3339(int64_t wall_ns, int decimals) {
  int64_t seconds = wall_ns / kNanosPerSecond;
  int64_t nanos = wall_ns % kNanosPerSecond;
  if (nanos < 0) {
    nanos += kNanosPerSecond;
    --seconds;
  }
  int64_t days = seconds / 86'400;
  int64_t rest = seconds % 86'400;
  if (rest < 0) {
    rest += 86'400;
    --days;
  }
  const Civil date = civil_from_days(days);
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", date.year, date.month, date.day, rest / 3600,
                                rest / 60 % 60, rest % 60);
  if (decimals > 0) out += fmt::format(".{:09}", nanos).substr(0, static_cast<size_t>(decimals) + 1);
  return out + "Z";
}

Result<int64_t> parse_rfc3339(std::string_view text) {
  const Error bad(Code::kInvalidArgument,
                  fmt::format("time: got \"{}\", expected RFC 3339 as 2026-11-22T12:00:00Z", text.substr(0, 64)));
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t nanos = 0;
  int64_t offset = 0;
  const bool read = digits(text, 4, year) && literal(text, "-") && digits(text, 2, month) && literal(text, "-") &&
                    digits(text, 2, day) && literal(text, "Tt ") && digits(text, 2, hour) && literal(text, ":") &&
                    digits(text, 2, minute) && literal(text, ":") && digits(text, 2, second) &&
                    (!literal(text, ".") || fraction(text, nanos)) && zone(text, offset) && text.empty();
  // Years outside these do not fit into 64-bit nanoseconds.
  if (!read || year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) ||
      hour > 23 || minute > 59 || second > 60) {
    return bad;
  }
  const int64_t seconds = days_from_civil(year, month, day) * 86'400 + hour * 3600 + minute * 60 + second - offset;
  return seconds * kNanosPerSecond + nanos;
}

Result<int64_t> parse_duration(std::string_view text) {
  const Error bad(Code::kInvalidArgument,
                  fmt::format("duration: got \"{}\", expected seconds (5, 0.1) or a unit of ns, "
                              "us, ms, s, m, h, d (250ms, 1h30m)",
                              text.substr(0, 64)));
  const Error too_long(Code::kOutOfRange, fmt::format("duration: \"{}\" is longer than 292 years", text.substr(0, 64)));
  if (text.empty()) return bad;
  long double total = 0;
  bool first = true;
  while (!text.empty()) {
    double number = 0;
    const auto [stop, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc() || !std::isfinite(number) || number < 0 || std::signbit(number)) return bad;
    text.remove_prefix(static_cast<size_t>(stop - text.data()));
    const size_t end = std::min(text.find_first_of("0123456789."), text.size());
    const std::string_view unit = text.substr(0, end);
    text.remove_prefix(end);
    int64_t factor = 0;
    if (unit.empty() && first && text.empty()) factor = kNanosPerSecond;
    for (const auto& [name, value] : kUnits) {
      if (unit == name) factor = value;
    }
    if (factor == 0) return bad;
    total += static_cast<long double>(number) * static_cast<long double>(factor);
    if (total > static_cast<long double>(INT64_MAX)) return too_long;
    first = false;
  }
  return static_cast<int64_t>(std::round(total));
}

std::string format_duration(int64_t ns) {
  if (ns == 0) return "0s";
  std::string out;
  for (const auto& [name, value] : kUnits) {
    if (ns >= value) {
      out += fmt::format("{}{}", ns / value, name);
      ns %= value;
    }
  }
  return out;
}

}  // namespace monitor

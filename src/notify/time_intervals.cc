#include "notify/time_intervals.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "rules/yaml_fields.h"

namespace monitor::notify {

namespace {

using rules::Fault;
using rules::YamlFields;
using rules::YamlNode;
using rules::YamlPtr;

constexpr std::array<std::string_view, 7> kWeekdays = {"sunday",   "monday", "tuesday", "wednesday",
                                                       "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"january",   "february", "march",    "april",
                                                      "may",       "june",     "july",     "august",
                                                      "september", "october",  "november", "december"};

std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

bool in_ranges(const std::vector<Range>& ranges, int value) {
  return ranges.empty() ||
         std::ranges::any_of(ranges, [&](const Range& one) { return one.first <= value && value <= one.last; });
}

int days_in_month(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays.at(static_cast<size_t>(month - 1));
}

// What a field's texts mean.
struct Field {
  const char* key;
  int least;
  int most;
  bool negative = false;  // -1 is the last one
  std::string_view form;
};

std::optional<int> parse_one(std::string_view text, const Field& field) {
  const std::string word = lower(trim(text));
  if (std::string_view(field.key) == "weekdays") {
    const auto* const found = std::ranges::find(kWeekdays, word);
    return found == kWeekdays.end() ? std::nullopt : std::optional(static_cast<int>(found - kWeekdays.begin()));
  }
  if (std::string_view(field.key) == "months") {
    const auto* const found = std::ranges::find(kMonths, word);
    if (found != kMonths.end()) return static_cast<int>(found - kMonths.begin()) + 1;
  }
  const auto number = parse_i64(word);
  if (!number) return std::nullopt;
  const int64_t size = field.negative && *number < 0 ? -*number : *number;
  return size < field.least || size > field.most ? std::nullopt : std::optional(static_cast<int>(*number));
}

std::optional<Range> parse_range(const std::string& text, const Field& field) {
  const auto parts = split(text, ':');
  if (parts.size() > 2) return std::nullopt;
  const auto first = parse_one(parts.front(), field);
  const auto last = parse_one(parts.back(), field);
  if (!first || !last) return std::nullopt;
  const bool comparable = (*first < 0) == (*last < 0);
  if (comparable ? *first > *last : *first < 0) return std::nullopt;
  return Range{*first, *last};
}

std::vector<Range> parse_field(YamlFields& fields, const Field& field) {
  std::vector<Range> ranges;
  for (const YamlPtr& item : fields.list(field.key)) {
    const auto range = item->kind == YamlNode::Kind::kScalar ? parse_range(item->text, field) : std::nullopt;
    if (range) {
      ranges.push_back(*range);
    } else {
      const std::string got =
          item->kind == YamlNode::Kind::kScalar ? json_quote(item->text.substr(0, 80)) : std::string(item->kind_name());
      fields.fault(item->place, fmt::format("{}: got {}, expected {}", field.key, got, field.form));
    }
  }
  return ranges;
}

std::optional<int> parse_minute(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hours = parse_u64(text.substr(0, 2));
  const auto minutes = parse_u64(text.substr(3));
  if (!hours || !minutes || *hours > 24 || *minutes > 59 || (*hours == 24 && *minutes > 0)) return std::nullopt;
  return static_cast<int>(*hours * 60 + *minutes);
}

std::vector<Range> parse_times(YamlFields& fields, std::vector<Fault>& faults) {
  std::vector<Range> ranges;
  for (const YamlPtr& item : fields.list("times")) {
    YamlFields time(item, "an entry of times", faults);
    if (!time.is_map()) continue;
    const auto start = parse_minute(time.text("start_time").value_or(""));
    const auto end = parse_minute(time.text("end_time").value_or(""));
    time.refuse_unknown();
    if (start && end && *start < *end) {
      ranges.push_back({*start, *end});
    } else {
      time.fault(time.place(), "expected start_time and end_time as \"09:00\" and \"17:00\", the start before the end");
    }
  }
  return ranges;
}

TimeInterval parse_interval(const YamlPtr& node, std::vector<Fault>& faults) {
  TimeInterval interval;
  YamlFields fields(node, "a time interval", faults);
  if (!fields.is_map()) return interval;
  constexpr int kFirstYear = 1970;
  constexpr int kLastYear = 9999;
  interval.minutes = parse_times(fields, faults);
  interval.weekdays = parse_field(fields, {"weekdays", 0, 6, false, "a weekday, or two as monday:friday"});
  interval.days = parse_field(fields, {"days_of_month", 1, 31, true, "a day from 1 to 31 or -31 to -1, or two as 1:5"});
  interval.months = parse_field(fields, {"months", 1, 12, false, "a month, or two as may:august or 5:8"});
  interval.years = parse_field(fields, {"years", kFirstYear, kLastYear, false, "a year, or two as 2026:2028"});
  if (const auto zone = fields.text("location")) {
    interval.local = *zone == "Local";
    if (*zone != "UTC" && *zone != "Local") {
      fields.fault(fields.place_of("location"),
                   fmt::format("location: got {}, expected UTC or Local; other time zones are not supported",
                               json_quote(zone->substr(0, 80))));
    }
  }
  fields.refuse_unknown();
  return interval;
}

bool in_days(const std::vector<Range>& ranges, int day, int days) {
  return ranges.empty() || std::ranges::any_of(ranges, [&](const Range& one) {
           const int first = one.first < 0 ? std::max(1, days + 1 + one.first) : one.first;
           const int last = one.last < 0 ? days + 1 + one.last : std::min(one.last, days);
           return first <= day && day <= last;
         });
}

}  // namespace

bool contains(const TimeInterval& interval, int64_t wall_ms) {
  const time_t seconds = wall_ms / 1000;
  tm parts{};
  if ((interval.local ? localtime_r(&seconds, &parts) : gmtime_r(&seconds, &parts)) == nullptr) return false;
  const int minute = parts.tm_hour * 60 + parts.tm_min;
  const auto& minutes = interval.minutes;
  const bool in_minutes = minutes.empty() || std::ranges::any_of(minutes, [&](const Range& one) {
                            return one.first <= minute && minute < one.last;
                          });
  const int year = parts.tm_year + 1900;
  const int month = parts.tm_mon + 1;
  return in_minutes && in_ranges(interval.weekdays, parts.tm_wday) && in_ranges(interval.months, month) &&
         in_ranges(interval.years, year) && in_days(interval.days, parts.tm_mday, days_in_month(year, month));
}

bool contains(const NamedIntervals& named, int64_t wall_ms) {
  return std::ranges::any_of(named.intervals, [&](const TimeInterval& one) { return contains(one, wall_ms); });
}

NamedIntervals parse_intervals(const YamlPtr& node, std::vector<Fault>& faults) {
  NamedIntervals named;
  YamlFields fields(node, "an entry of time_intervals", faults);
  if (!fields.is_map()) return named;
  named.name = fields.text("name").value_or("");
  if (named.name.empty()) fields.fault(fields.place(), "an entry of time_intervals needs a name");
  for (const YamlPtr& item : fields.list("time_intervals")) named.intervals.push_back(parse_interval(item, faults));
  fields.refuse_unknown();
  return named;
}

}  // namespace monitor::notify

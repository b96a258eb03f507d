// Times at which notifications are muted or active, as Alertmanager's time_intervals. An interval contains a time if
// all of its fields do; a field contains it if one of its ranges does. Pure, but for the time zone data of the C
// library.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rules/yaml_tree.h"

namespace monitor::notify {

struct Range {
  int first = 0;
  int last = 0;  // included
};

struct TimeInterval {
  std::vector<Range> minutes;   // of the day; `last` is not included
  std::vector<Range> weekdays;  // 0: Sunday
  std::vector<Range> days;      // of the month; negative ones count from its end
  std::vector<Range> months;    // 1 to 12
  std::vector<Range> years;
  bool local = false;  // in the time zone of this host instead of UTC
};

struct NamedIntervals {
  std::string name;
  std::vector<TimeInterval> intervals;
};

bool contains(const TimeInterval& interval, int64_t wall_ms);
bool contains(const NamedIntervals& named, int64_t wall_ms);

// One entry of time_intervals.
NamedIntervals parse_intervals(const rules::YamlPtr& node, std::vector<rules::Fault>& faults);

}  // namespace monitor::notify

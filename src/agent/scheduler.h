// Scheduler: decides when the agent reads which metric. Metrics of one interval share a schedule, which ticks at
// start + k x interval. A change of the configuration affects only the schedules whose metrics or interval it changes.
//
// If an interval changes, the next tick is at max(now, min(old next, last + new interval)). Metrics that leave a
// schedule for another interval tick once at that time on a schedule of their own. Then they join the schedule of that
// interval, if one exists. A new metric joins the schedule of its interval at once, or starts one whose first tick is
// after min(interval, 1 s).
//
// Pure: callers pass the time. Times are monotonic nanoseconds, except last_wall_ns. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"

namespace monitor::agent {

class Scheduler {
 public:
  struct Schedule {
    uint64_t id = 0;
    int64_t interval_ns = 0;
    int64_t next_due = 0;
    int64_t last_due = 0;
    int64_t last_wall_ns = 0;  // wall clock of the last read, at which its rates start
    bool joins = false;        // it will join another schedule after its next tick
    // For metrics that have joined since the last tick: when each was last due.
    std::map<std::string, int64_t> joined;
    std::vector<config::MetricSelection> selections;
  };

  // Returns the ids of removed schedules.
  std::vector<uint64_t> configure(const config::Settings& settings, int64_t mono_ns, int64_t wall_ns);
  const std::vector<Schedule>& all() const { return schedules_; }
  Schedule& at(size_t index) { return schedules_[index]; }
  // INT64_MAX before the first configuration.
  int64_t next_due() const;
  // When the first tick at or after `mono_ns` will be due, as the schedules are now; INT64_MAX before the first
  // configuration.
  int64_t due_after(int64_t mono_ns) const;

  struct Due {
    size_t index = 0;
    int64_t due = 0;      // when the tick to read now was due
    uint64_t missed = 0;  // later ticks that are due as well; they are counted instead of read
  };
  // Takes the earliest due tick, and advances its schedule to the first tick after `mono_ns`.
  Due take(int64_t mono_ns);

  // Call after the tick of a schedule that joins another one: moves its metrics there and returns the other schedule's
  // index. The caller must then erase the schedule. Nothing if it does not join.
  std::optional<size_t> join(size_t index);
  void erase(size_t index) { schedules_.erase(schedules_.begin() + static_cast<std::ptrdiff_t>(index)); }

 private:
  void resolve_joins(const std::vector<Schedule>& old);
  void retain(Schedule schedule, std::vector<bool>& placed, int64_t mono_ns);
  void place_new(const config::MetricSelection& metric, int64_t mono_ns, int64_t wall_ns);
  Schedule& begin(int64_t interval_ns, int64_t mono_ns, int64_t wall_ns);
  void order(Schedule& schedule) const;

  config::Settings settings_;
  std::vector<Schedule> schedules_;
  uint64_t last_id_ = 0;
};

}  // namespace monitor::agent

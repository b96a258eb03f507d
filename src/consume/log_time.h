// LogTime: the time of a partition's records, for deciding what is old. Records have the wall clock of the server that
// appended them, which may be wrong for a while. TrustedClock is not used here, because a reader must get the same
// result whenever it reads. A time ahead of the records so far counts once records have stayed there for kHold. If they
// fall back to the previous time, it never counts.
//
// A value type; not thread-safe.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace monitor::analysis {

class LogTime {
 public:
  static constexpr int64_t kHold = int64_t{3600} * kNanosPerSecond;
  // Times of records are not strictly ascending if several servers append, or if a time server corrects a clock.
  static constexpr int64_t kStep = int64_t{600} * kNanosPerSecond;

  LogTime() = default;
  // Restores a stored time.
  explicit LogTime(int64_t now_ns) : now_(now_ns) {}

  void take(int64_t time_ns) {
    if (elapsed_ns(now_, time_ns) <= kStep && now_ != 0) {
      now_ = std::max(now_, time_ns);
      // A time near `now` cancels the candidate: a clock was wrong for a while.
      ahead_ = false;
      return;
    }
    const bool goes_on = ahead_ && elapsed_ns(time_ns, first_) <= kStep && elapsed_ns(last_, time_ns) <= kStep;
    if (!goes_on) first_ = last_ = time_ns;
    ahead_ = true;
    last_ = std::max(last_, time_ns);
    if (elapsed_ns(first_, last_) < kHold) return;
    now_ = last_;
    ahead_ = false;
  }

  // 0: unknown, so nothing is old.
  int64_t now_ns() const { return now_; }

 private:
  int64_t now_ = 0;
  bool ahead_ = false;  // there is a candidate: records from first_ to last_
  int64_t first_ = 0;
  int64_t last_ = 0;
};

}  // namespace monitor::analysis

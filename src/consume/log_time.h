// The time of a partition's records, for deciding what is old. Records carry the wall clock of whoever appended them,
// which may be set for a while; TrustedClock has no part in it, since a reader must come to the same result whenever it
// reads. A time that is ahead counts once the records have kept it for kHold; one that falls back to where the records
// were before never counts.
//
// Not thread-safe; a value.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.h"

namespace monitor::analysis {

class LogTime {
 public:
  static constexpr int64_t kHold = int64_t{3600} * kNanosPerSecond;
  // Records are not in the order of their times where several append, or a time server corrects a clock.
  static constexpr int64_t kStep = int64_t{600} * kNanosPerSecond;

  LogTime() = default;
  // As it was when it was stored.
  explicit LogTime(int64_t now_ns) : now_(now_ns) {}

  void take(int64_t time_ns) {
    if (elapsed_ns(now_, time_ns) <= kStep && now_ != 0) {
      now_ = std::max(now_, time_ns);
      // A candidate that holds is later than that.
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

  // 0: not known yet; nothing is old.
  int64_t now_ns() const { return now_; }

 private:
  int64_t now_ = 0;
  bool ahead_ = false;  // there is a candidate: records from first_ to last_
  int64_t first_ = 0;
  int64_t last_ = 0;
};

}  // namespace monitor::analysis

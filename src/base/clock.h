// Clock: wall and monotonic time, injected wherever time is read, so that tests can control it.
//
// Wall time (CLOCK_REALTIME) stamps data and may jump. Monotonic time (CLOCK_MONOTONIC) measures and schedules, and
// never goes back. They must never be subtracted from one another. Both in nanoseconds. Implementations are
// thread-safe.
#pragma once

#include <cstdint>

namespace monitor {

inline constexpr int64_t kNanosPerSecond = 1'000'000'000;
inline constexpr int64_t kNanosPerMilli = 1'000'000;

// The difference of two times. Saturates, since times from outside may be arbitrary.
inline int64_t elapsed_ns(int64_t from_ns, int64_t to_ns) {
  int64_t result = 0;
  if (!__builtin_sub_overflow(to_ns, from_ns, &result)) return result;
  return to_ns > from_ns ? INT64_MAX : INT64_MIN;
}

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t wall_ns() const = 0;
  virtual int64_t mono_ns() const = 0;
};

class SystemClock final : public Clock {
 public:
  int64_t wall_ns() const override;
  int64_t mono_ns() const override;
};

}  // namespace monitor

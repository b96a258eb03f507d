// Clock: wall and monotonic time, injected wherever time is read, so that tests can control it.
//
// Wall time (CLOCK_REALTIME) stamps data and may jump. Monotonic time (CLOCK_MONOTONIC) measures and schedules, and
// never goes back. They must never be subtracted from one another. Both in nanoseconds. Implementations are
// thread-safe.
#pragma once

#include <atomic>
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

// A clock that only moves when a test advances it; wall and monotonic time can move together or apart.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(int64_t wall_ns = 1'700'000'000 * kNanosPerSecond, int64_t mono_ns = 1'000 * kNanosPerSecond)
      : wall_(wall_ns), mono_(mono_ns) {}
  int64_t wall_ns() const override { return wall_; }
  int64_t mono_ns() const override { return mono_; }

  void advance(int64_t ns) {
    wall_ += ns;
    mono_ += ns;
  }
  void step_wall(int64_t ns) { wall_ += ns; }

 private:
  std::atomic<int64_t> wall_;
  std::atomic<int64_t> mono_;
};

}  // namespace monitor

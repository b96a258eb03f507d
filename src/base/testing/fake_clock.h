// FakeClock and FakeTimers: time that only moves when a test advances it. FakeClock is thread-safe, FakeTimers is not.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "base/clock.h"
#include "base/event_loop.h"

namespace monitor {

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

// Timers for tests: advance() moves the clock and fires timers on the way, each at its own time.
class FakeTimers final : public Timers {
 public:
  const Clock& clock() const override { return clock_; }
  FakeClock& fake_clock() { return clock_; }
  TimerId call_at(int64_t mono_ns, std::function<void()> callback) override {
    return queue_.add(mono_ns, std::move(callback));
  }
  void cancel_timer(TimerId id) override { queue_.cancel(id); }
  void advance(int64_t ns);
  bool idle() const { return queue_.empty(); }

 private:
  FakeClock clock_;
  TimerQueue queue_;
};

inline void FakeTimers::advance(int64_t ns) {
  const int64_t end = clock_.mono_ns() + ns;
  while (queue_.next_due() <= end) {
    clock_.advance(std::max<int64_t>(0, queue_.next_due() - clock_.mono_ns()));
    queue_.run_due(clock_.mono_ns());
  }
  clock_.advance(std::max<int64_t>(0, end - clock_.mono_ns()));  // a callback may have advanced it
}

}  // namespace monitor

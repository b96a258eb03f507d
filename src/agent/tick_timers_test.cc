#include "agent/tick_timers.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/testing/fake_clock.h"

namespace monitor::agent {
namespace {

constexpr int64_t kS = kNanosPerSecond;

// Ticks are due at full multiples of 10 s of the clock.
struct World {
  int64_t fires_after(int64_t wait_ns) {
    const int64_t start = timers.clock().mono_ns();
    int64_t fired = -1;
    ticks.call_after(wait_ns, [&] { fired = timers.clock().mono_ns() - start; });
    timers.advance(3 * wait_ns + kS);
    return fired;
  }
  // Waits until `after_ns` after a tick.
  void go_to(int64_t after_ns) {
    timers.advance(tick_after(timers.clock().mono_ns()) - timers.clock().mono_ns() + after_ns);
  }
  static int64_t tick_after(int64_t mono_ns) { return (mono_ns + 10 * kS - 1) / (10 * kS) * (10 * kS); }

  FakeTimers timers;
  TickTimers ticks{timers, TickTimers::Late::kWhole, tick_after};
};

TEST(TickTimers, RunsWorkJustAfterATickThatIsNear) {
  World w;
  w.go_to(kS / 1000);
  EXPECT_EQ(w.fires_after(10 * kS), 10 * kS - kS / 1000 + 1) << "a little earlier";
  w.go_to(0);
  EXPECT_EQ(w.fires_after(10 * kS), 10 * kS + 1);
  w.go_to(kS);
  EXPECT_EQ(w.fires_after(6 * kS), 9 * kS + 1) << "later, by at most the wait";
}

TEST(TickTimers, KeepsTheTimeIfNoTickIsNearOrTheWaitIsShort) {
  World w;
  w.go_to(kS);
  EXPECT_EQ(w.fires_after(4 * kS), 4 * kS);
  w.go_to(9 * kS + kS / 2);
  EXPECT_EQ(w.fires_after(kS - 1), kS - 1);
}

TEST(TickTimers, IsLateByAQuarterOfTheWaitIfThatIsTheLimit) {
  World w;
  TickTimers prompt(w.timers, TickTimers::Late::kQuarter, World::tick_after);
  w.go_to(kS);
  int64_t fired = 0;
  prompt.call_after(6 * kS, [&] { fired = w.timers.clock().mono_ns(); });
  w.timers.advance(6 * kS);
  EXPECT_EQ(fired, w.timers.clock().mono_ns()) << "the next tick is 3 s away";
}

TEST(TickTimers, CancelsLikeTheTimersBelow) {
  World w;
  bool fired = false;
  w.ticks.cancel_timer(w.ticks.call_after(10 * kS, [&] { fired = true; }));
  w.timers.advance(60 * kS);
  EXPECT_FALSE(fired);
}

}  // namespace
}  // namespace monitor::agent

#include "grpc/inactivity_timer.h"

#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"

namespace monitor::grpc {
namespace {

TEST(InactivityTimer, FiresOnceAfterTheTimeoutWithoutATouch) {
  FakeTimers timers;
  int fired = 0;
  InactivityTimer timer(timers, 100, [&] {
    ++fired;
    return false;
  });
  timer.start();
  timers.advance(60);
  timer.touch();
  timer.start();  // runs already: has no effect
  timers.advance(99);
  EXPECT_EQ(fired, 0);
  timers.advance(1);
  EXPECT_EQ(fired, 1);
  EXPECT_TRUE(timers.idle());
}

TEST(InactivityTimer, GoesOnWatchingIfToldTo) {
  FakeTimers timers;
  int fired = 0;
  InactivityTimer timer(timers, 100, [&] { return ++fired < 2; });
  timer.start();
  timers.advance(199);
  EXPECT_EQ(fired, 1);
  timers.advance(1);
  EXPECT_EQ(fired, 2);
  EXPECT_TRUE(timers.idle());
}

TEST(InactivityTimer, StopsAndHonorsNoTimeout) {
  FakeTimers timers;
  InactivityTimer none(timers, 0, [] { return true; });
  none.start();
  EXPECT_TRUE(timers.idle());
  InactivityTimer timer(timers, 100, [] { return true; });
  timer.start();
  EXPECT_FALSE(timers.idle());
  timer.stop();
  EXPECT_TRUE(timers.idle());
}

}  // namespace
}  // namespace monitor::grpc

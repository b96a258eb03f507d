// Two signals at once are one request to stop; only a later second one, which a person sends, ends the process at once.
#include "base/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "base/clock.h"
#include "base/testing/fake_clock.h"

namespace monitor {
namespace {

// Sends two signals like timeout(1): to the process, then to its group.
void stop_twice(int64_t apart_ns) {
  block_signals();
  FakeClock clock;
  EventLoop loop(clock);
  int stops = 0;
  const Signals signals(loop, [&](int) { ++stops; });
  for (int i = 0; i < 2; ++i) {
    kill(getpid(), SIGTERM);
    loop.run_once(0);
    clock.advance(apart_ns);
  }
  _exit(stops == 1 ? 0 : 1);
}

TEST(SignalsTest, CountsTwoSignalsAtOnceAsOneRequest) {
  EXPECT_EXIT(stop_twice(kNanosPerMilli), ::testing::ExitedWithCode(0), "^$");
}

TEST(SignalsTest, EndsAtOnceOnALaterSecondSignal) {
  EXPECT_EXIT(stop_twice(kNanosPerSecond), ::testing::ExitedWithCode(128 + SIGTERM), "second signal");
}

}  // namespace
}  // namespace monitor

// StopGuard ends a process that does not stop by itself, and leaves alone one that does.
#include "base/stop_guard.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "base/clock.h"
#include "base/exit_codes.h"
#include "base/signals.h"

namespace monitor {
namespace {

TEST(StopGuardDeathTest, EndsAProcessWhoseSignalNobodyReads) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        block_signals();
        const StopGuard guard("program", 50 * kNanosPerMilli);
        kill(getpid(), SIGTERM);
        while (true) pause();
      },
      ::testing::ExitedWithCode(kExitTempFail), "program: not stopped within 50 ms");
}

TEST(StopGuardDeathTest, EndsAProcessWhoseStopHangs) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        block_signals();
        StopGuard guard("program", 0);
        guard.arm();
        while (true) pause();
      },
      ::testing::ExitedWithCode(kExitTempFail), "something hangs");
}

TEST(StopGuardDeathTest, IgnoresAnOrderlyStop) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        block_signals();
        {
          StopGuard guard("program", 3600 * kNanosPerSecond);
          guard.arm();
          kill(getpid(), SIGTERM);
        }
        _exit(7);
      },
      ::testing::ExitedWithCode(7), "^$");
}

}  // namespace
}  // namespace monitor

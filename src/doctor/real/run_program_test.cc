#include "doctor/real/run_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/clock.h"

namespace monitor::doctor {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int64_t kLong = 30 * kNanosPerSecond;

Result<Ended> shell(const std::string& command, int64_t timeout_ns = kLong) {
  return run_program("/bin/sh", {"-c", command}, timeout_ns);
}

TEST(RunProgram, TakesOutputErrorsAndStatus) {
  const auto ended = shell("echo out; echo err >&2; exit 3");
  ASSERT_TRUE(ended.ok());
  EXPECT_EQ(ended->status, 3);
  EXPECT_EQ(ended->output, "out\n");
  EXPECT_EQ(ended->errors, "err\n");
  EXPECT_EQ(shell("kill -9 $$")->status, 128 + 9);
}

TEST(RunProgram, KillsAProgramThatDoesNotEnd) {
  const int64_t begin = SystemClock().mono_ns();
  EXPECT_EQ(shell("sleep 600", 100 * kNanosPerMilli).error().code(), Code::kDeadlineExceeded);
  // It closes its output, and stays.
  EXPECT_EQ(shell("exec >&- 2>&-; sleep 600", 100 * kNanosPerMilli).error().code(), Code::kDeadlineExceeded);
  EXPECT_LT(SystemClock().mono_ns() - begin, kLong);
}

TEST(RunProgram, EndsAProgramThatPrintsWithoutEnd) { EXPECT_EQ(shell("yes").error().code(), Code::kResourceExhausted); }

TEST(RunProgram, PassesNoSecretsOfTheEnvironment) {
  setenv("MONITOR_SERVER_KAFKA_PROPERTY", "sasl.password=hunter2", 1);  // NOLINT(concurrency-mt-unsafe)
  const auto ended = shell("env");
  unsetenv("MONITOR_SERVER_KAFKA_PROPERTY");  // NOLINT(concurrency-mt-unsafe)
  ASSERT_TRUE(ended.ok());
  EXPECT_THAT(ended->output, Not(HasSubstr("hunter2")));
}

TEST(RunProgram, ReportsAMissingProgram) { EXPECT_FALSE(run_program("/no/such/program", {}, kLong).ok()); }

}  // namespace
}  // namespace monitor::doctor

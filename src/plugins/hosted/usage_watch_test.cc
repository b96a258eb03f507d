#include "plugins/hosted/usage_watch.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/disk.h"

namespace monitor::agent {
namespace {

constexpr int64_t kStep = UsageWatch::kLookEvery;

// Takes a reading every half second of a process that uses `cpu` processors, until it must end or after `steps`
// readings.
std::string run(UsageWatch& watch, int64_t& now, int64_t& used, double cpu, int steps) {
  for (int i = 0; i < steps; ++i) {
    now += kStep;
    used += static_cast<int64_t>(cpu * static_cast<double>(kStep));
    if (std::string why = watch.take(now, {used, 1, 4096}); !why.empty()) return why;
  }
  return "";
}

TEST(UsageWatch, ReadsTimesThreadsAndMemoryOfAProcess) {
  const auto usage = parse_host_usage(
      "7 (a b) c) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 25 5 9 0 12345 1000000 300 18446744073709551615 1\n", 100,
      4096);
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->cpu_ns, 3 * kNanosPerSecond);
  EXPECT_EQ(usage->threads, 9U);
  EXPECT_EQ(usage->memory, 300U * 4096);
}

TEST(UsageWatch, RejectsOtherTexts) {
  for (const char* const text : {"", "7 (x", "7 (x) S 1 2", "7 (x) S 1 7 7 0 -1 4 1 0 0 0 -5 50 0 0 25 5 9 0 1 1 3"}) {
    EXPECT_FALSE(parse_host_usage(text, 100, 4096)) << text;
  }
}

TEST(UsageWatch, ReadsThisProcess) {
  const auto text = PosixDisk().read_file("/proc/self/stat", 4096);
  ASSERT_TRUE(text);
  const auto usage = parse_host_usage(*text, sysconf(_SC_CLK_TCK), 4096);
  ASSERT_TRUE(usage);
  EXPECT_GE(usage->threads, 1U);
  EXPECT_GT(usage->memory, 0U);
}

TEST(UsageWatch, EndsAProcessThatUsesMoreThanItsShareForAWholeWindow) {
  UsageWatch watch(4, 0.5);
  int64_t now = 0;
  int64_t used = 0;
  EXPECT_EQ(run(watch, now, used, 2.0, 20), "") << "nine and a half seconds are shorter than the window";
  EXPECT_EQ(run(watch, now, used, 2.0, 1), "cpu: it used 2.00 processors over 10s, its limit is 0.50");
}

TEST(UsageWatch, LetsAShortPeakPass) {
  UsageWatch watch(4, 0.5);
  int64_t now = 0;
  int64_t used = 0;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(run(watch, now, used, 2.0, 4), "");
    EXPECT_EQ(run(watch, now, used, 0.0, 18), "");
  }
}

TEST(UsageWatch, JudgesOnlyTheLastWindow) {
  UsageWatch watch(4, 0.5);
  int64_t now = 0;
  int64_t used = 0;
  EXPECT_EQ(run(watch, now, used, 0.01, 1000), "");
  EXPECT_NE(run(watch, now, used, 1.0, 12), "") << "an idle hour before must not help";
  EXPECT_LE(watch.cpu(), 1.0);
}

TEST(UsageWatch, EndsAProcessWithMoreThreadsThanItMayHave) {
  UsageWatch watch(4, 0.5);
  EXPECT_EQ(watch.take(1, {0, 5, 0}), "") << "the host's own thread must not count";
  EXPECT_EQ(watch.threads(), 4U);
  EXPECT_EQ(watch.take(2, {0, 6, 0}), "threads: it has 5, its limit is 4");
}

TEST(UsageWatch, StartsOverWithANewProcess) {
  UsageWatch watch(4, 0.5);
  int64_t now = 0;
  int64_t used = 0;
  run(watch, now, used, 0.4, 30);
  watch.reset();
  used = 0;
  EXPECT_EQ(run(watch, now, used, 0.4, 30), "");
  EXPECT_NEAR(watch.cpu(), 0.4, 0.01);
}

}  // namespace
}  // namespace monitor::agent

#include "views/fleet/clock_skew.h"

#include <gtest/gtest.h>

namespace monitor::analysis {
namespace {

constexpr int64_t kStart = 1'700'000'010 * kNanosPerSecond;
constexpr int64_t kMilli = kNanosPerMilli;

TEST(ClockSkew, IsUnknownWithoutBatches) { EXPECT_FALSE(ClockSkew().ahead_ns()); }

TEST(ClockSkew, IsTheDifferenceOfTheShortestWay) {
  ClockSkew skew;
  for (int i = 0; i < 60; ++i) {
    const int64_t stored = kStart + i * kNanosPerSecond;
    const int64_t way = (i % 7 == 3 ? 5 : 900) * kMilli;  // most batches are slow
    skew.note(stored - way + 2 * kNanosPerSecond, stored);
  }
  EXPECT_EQ(skew.ahead_ns(), 2 * kNanosPerSecond - 5 * kMilli);
}

TEST(ClockSkew, FollowsAClockThatIsSet) {
  ClockSkew skew;
  skew.note(kStart - 3600 * kNanosPerSecond, kStart);
  EXPECT_EQ(skew.ahead_ns(), -3600 * kNanosPerSecond) << "behind";
  skew.note(kStart + 61 * kNanosPerSecond - 1, kStart + 61 * kNanosPerSecond);
  EXPECT_EQ(skew.ahead_ns(), -1) << "what is older than a minute no longer counts";
}

TEST(ClockSkew, ForgetsAfterAPause) {
  ClockSkew skew;
  skew.note(kStart + kNanosPerSecond, kStart);
  skew.note(kStart - kNanosPerSecond + 300 * kNanosPerSecond, kStart + 300 * kNanosPerSecond);
  EXPECT_EQ(skew.ahead_ns(), -kNanosPerSecond);
}

}  // namespace
}  // namespace monitor::analysis

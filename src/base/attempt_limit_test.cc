#include "base/attempt_limit.h"

#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"

namespace monitor {
namespace {

constexpr int64_t kSecond = kNanosPerSecond;

TEST(AttemptLimit, RefillsOverTime) {
  FakeClock clock;
  AttemptLimit limit(clock, {3, 6 * kSecond});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limit.take("a"), 0);
  EXPECT_EQ(limit.take("a"), 6 * kSecond);
  EXPECT_EQ(limit.take("b"), 0) << "others are not affected";
  clock.advance(2 * kSecond);
  EXPECT_EQ(limit.take("a"), 4 * kSecond);
  clock.advance(4 * kSecond);
  EXPECT_EQ(limit.take("a"), 0);
  limit.give_back("a");
  EXPECT_EQ(limit.take("a"), 0) << "a success does not count";
  EXPECT_EQ(limit.take("a"), 6 * kSecond);
}

TEST(AttemptLimit, LookingTakesNothingAndChargingNeverRunsIntoDebt) {
  FakeClock clock;
  AttemptLimit limit(clock, {2, kSecond});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(limit.wait_ns("a"), 0);
  for (int i = 0; i < 10; ++i) limit.charge("a");
  EXPECT_EQ(limit.wait_ns("a"), kSecond);
  clock.advance(kSecond);
  EXPECT_EQ(limit.wait_ns("a"), 0);
}

TEST(AttemptLimit, NeverHoldsMoreThanTheBurst) {
  FakeClock clock;
  AttemptLimit limit(clock, {2, kSecond});
  limit.take("a");
  for (int i = 0; i < 10; ++i) limit.give_back("a");
  clock.advance(1000 * kSecond);
  EXPECT_EQ(limit.take("a"), 0);
  EXPECT_EQ(limit.take("a"), 0);
  EXPECT_EQ(limit.take("a"), kSecond);
}

TEST(AttemptLimit, BoundsItsKeys) {
  FakeClock clock;
  AttemptLimit limit(clock, {3, kSecond}, 10);
  for (int i = 0; i < 100; ++i) {
    clock.advance(1);
    limit.take(std::to_string(i));
  }
  EXPECT_EQ(limit.keys(), 11U) << "those beyond share one";
}

TEST(AttemptLimit, ManyOtherKeysGiveAnExhaustedOneNoNewAttempts) {
  FakeClock clock;
  AttemptLimit limit(clock, {3, 60 * kSecond}, 10);
  while (limit.take("victim") == 0) {
  }
  for (int i = 0; i < 100; ++i) limit.take(std::to_string(i));
  EXPECT_GT(limit.take("victim"), 0);
  EXPECT_GT(limit.take("another"), 0) << "the shared allowance is used up";
  EXPECT_GT(limit.wait_ns("a third"), 0);
  clock.advance(180 * kSecond);
  EXPECT_EQ(limit.take("another"), 0);
}

TEST(AttemptLimit, ForgetsKeysThatDoNotDifferFromNewOnes) {
  FakeClock clock;
  AttemptLimit limit(clock, {1, kSecond}, 2);
  limit.take("exhausted");
  EXPECT_EQ(limit.wait_ns("looked"), 0);
  EXPECT_EQ(limit.take("new"), 0);
  EXPECT_GT(limit.take("exhausted"), 0);
  EXPECT_EQ(limit.keys(), 2U);
}

TEST(AttemptLimit, RoundsAWaitUpToSeconds) {
  EXPECT_EQ(retry_after_s(0), 0);
  EXPECT_EQ(retry_after_s(1), 1);
  EXPECT_EQ(retry_after_s(kSecond), 1);
  EXPECT_EQ(retry_after_s(kSecond + 1), 2);
}

}  // namespace
}  // namespace monitor

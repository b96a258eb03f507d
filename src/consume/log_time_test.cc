#include "consume/log_time.h"

#include <gtest/gtest.h>

#include "consume/dedupe.h"

namespace monitor::analysis {
namespace {

constexpr int64_t kMinute = 60 * kNanosPerSecond;
constexpr int64_t kDay = 24 * 60 * kMinute;
constexpr int64_t kStart = 20'000 * kDay;

// Adds one record per minute.
int64_t pass(LogTime& time, int64_t from, int64_t span) {
  for (int64_t at = 0; at <= span; at += kMinute) time.take(from + at);
  return from + span;
}

TEST(LogTime, FollowsTheNewestRecord) {
  LogTime time;
  int64_t at = pass(time, kStart, 3 * kDay);
  EXPECT_EQ(time.now_ns(), at);
  time.take(at - kMinute);
  EXPECT_EQ(time.now_ns(), at);
}

TEST(LogTime, IgnoresRecordsOfAClockThatIsWrongForAWhile) {
  LogTime time;
  const int64_t at = pass(time, kStart, kDay);
  pass(time, at + 30 * kDay, 50 * kMinute);
  EXPECT_EQ(time.now_ns(), at);
  const int64_t end = pass(time, at + 50 * kMinute, kDay);
  EXPECT_EQ(time.now_ns(), end);
}

TEST(LogTime, IgnoresAServerWhoseClockIsAheadOfTheOthers) {
  LogTime time;
  const int64_t at = pass(time, kStart, kDay);
  for (int64_t i = 0; i < 3 * kDay; i += kMinute) {
    time.take(at + i);
    time.take(at + i + 30 * kDay);
  }
  EXPECT_LE(time.now_ns(), at + 3 * kDay);
}

TEST(LogTime, AcceptsATimeThatLasts) {
  LogTime time;
  const int64_t at = pass(time, kStart, kDay);
  const int64_t end = pass(time, at + 3 * kDay, 60 * kMinute);
  EXPECT_EQ(time.now_ns(), end) << "the log was silent over a weekend";
}

TEST(LogTime, DoesNotTrustTheFirstRecord) {
  LogTime time;
  pass(time, kStart + 30 * kDay, 10 * kMinute);
  EXPECT_EQ(time.now_ns(), 0);
  const int64_t end = pass(time, kStart, kDay);
  EXPECT_EQ(time.now_ns(), end);
}

TEST(Dedupe, KeepsEntriesWhenTheLogsClockIsWrongForAWhile) {
  Dedupe dedupe;
  for (uint64_t i = 1; i <= 120; ++i) dedupe.add("a", "i", i, {2}, {1, kStart + static_cast<int64_t>(i) * kMinute});
  dedupe.add("b", "j", 1, {2}, {1, kStart + 30 * kDay});
  dedupe.prune();
  for (uint64_t i = 121; i <= 240; ++i) dedupe.add("c", "k", i, {2}, {1, kStart + static_cast<int64_t>(i) * kMinute});
  dedupe.prune();
  EXPECT_TRUE(dedupe.seen("a", "i", 7));
  EXPECT_TRUE(dedupe.seen("b", "j", 1));
}

}  // namespace
}  // namespace monitor::analysis

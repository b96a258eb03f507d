#include "inputs/proc/sysfs.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace monitor::agent {
namespace {

constexpr int64_t kS = kNanosPerSecond;

// Readings at this interval, from `now` on, until sysfs is read again. 0: not within 1,000 readings.
int readings_until_stale(Freshness& freshness, int64_t& now, int64_t interval, size_t devices) {
  for (int i = 1; i <= 1000; ++i) {
    now += interval;
    if (freshness.stale(1, devices, now)) return i;
  }
  return 0;
}

TEST(Freshness, ReadsAgainWhenDevicesChangeAndAtTheReadingAfterThat) {
  Freshness freshness;
  EXPECT_TRUE(freshness.stale(1, 4, kS)) << "the first reading";
  EXPECT_TRUE(freshness.stale(1, 4, kS + 1)) << "links appear after their device";
  EXPECT_FALSE(freshness.stale(1, 4, kS + 2));
  EXPECT_TRUE(freshness.stale(2, 5, kS + 3));
  EXPECT_TRUE(freshness.stale(2, 5, kS + 4));
  EXPECT_FALSE(freshness.stale(2, 5, kS + 5));
}

TEST(Freshness, ReadsKnownDevicesAtEverySixthReadingAndAtTheLatestAfterHalfAMinute) {
  int64_t now = kS;
  Freshness freshness;
  freshness.stale(1, 4, now);
  freshness.stale(1, 4, now);
  EXPECT_EQ(readings_until_stale(freshness, now, kS, 4), 6);
  EXPECT_EQ(readings_until_stale(freshness, now, kS, 4), 6);
  EXPECT_EQ(readings_until_stale(freshness, now, 10 * kS, 4), 3);
  EXPECT_EQ(readings_until_stale(freshness, now, 60 * kS, 4), 1);
  EXPECT_EQ(readings_until_stale(freshness, now, kS / 10, 4), 20) << "half a second for each device";
  EXPECT_EQ(readings_until_stale(freshness, now, kS / 10, 300), 300) << "half a minute";
}

}  // namespace
}  // namespace monitor::agent

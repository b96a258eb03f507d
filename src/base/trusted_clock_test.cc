#include "base/trusted_clock.h"

#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"
#include "base/testing/fault_disk.h"

namespace monitor {
namespace {

constexpr int64_t kSecond = kNanosPerSecond;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

struct World {
  explicit World(TrustedClock::Start start = TrustedClock::Start::kTrust) : trusted(clock, {kHour, start}) {}
  // Advances the time and reads it every minute, as its users do.
  void pass(int64_t ns) {
    for (int64_t at = 0; at < ns; at += kMinute) {
      clock.advance(kMinute);
      trusted.now_ns();
    }
  }
  int64_t behind() { return clock.wall_ns() - trusted.now_ns(); }

  FakeClock clock;
  TrustedClock trusted;
};

TEST(TrustedClock, FollowsAWallClockThatIsNotSet) {
  World w;
  w.pass(3 * kDay);
  EXPECT_EQ(w.behind(), 0);
}

TEST(TrustedClock, IgnoresAJumpThatLastsAMinute) {
  World w;
  w.pass(kDay);
  w.clock.step_wall(30 * kDay);
  EXPECT_EQ(w.behind(), 30 * kDay);
  w.pass(kMinute);
  EXPECT_EQ(w.behind(), 30 * kDay);
  w.clock.step_wall(-30 * kDay);
  EXPECT_EQ(w.behind(), 0) << "the old time must have continued";
}

TEST(TrustedClock, IgnoresRepeatedJumps) {
  World w;
  for (int i = 0; i < 50; ++i) {
    w.clock.step_wall(10 * kDay);
    w.pass(50 * kMinute);
    EXPECT_GE(w.behind(), 10 * kDay);
    w.clock.step_wall(-10 * kDay);
    w.pass(50 * kMinute);
    EXPECT_EQ(w.behind(), 0);
  }
}

TEST(TrustedClock, AcceptsANewTimeOnceConfirmed) {
  World w;
  w.clock.step_wall(30 * kDay);
  w.pass(kHour - kMinute);
  EXPECT_EQ(w.behind(), 30 * kDay);
  w.pass(2 * kMinute);
  EXPECT_EQ(w.behind(), 0);
}

TEST(TrustedClock, GoesBackAtOnceAndWaitsToGoForwardAgain) {
  World w;
  w.pass(kDay);
  w.clock.step_wall(-5 * kDay);
  EXPECT_EQ(w.behind(), 0);
  w.pass(2 * kHour);
  w.clock.step_wall(5 * kDay);
  EXPECT_EQ(w.behind(), 5 * kDay);
  w.pass(kHour + kMinute);
  EXPECT_EQ(w.behind(), 0);
}

TEST(TrustedClock, FollowsSmallCorrectionsOfATimeServer) {
  World w;
  w.pass(2 * kHour);
  w.clock.step_wall(3 * kSecond);
  EXPECT_EQ(w.behind(), 0);
  w.clock.step_wall(-6 * kSecond);
  EXPECT_EQ(w.behind(), 0);
}

TEST(TrustedClock, IgnoresDriftBySmallSteps) {
  World w;
  w.pass(2 * kHour);
  for (int i = 0; i < 1000; ++i) {
    w.clock.step_wall(9 * kSecond);
    w.clock.advance(kSecond);
    w.trusted.now_ns();
  }
  EXPECT_GE(w.behind(), 8900 * kSecond);
}

TEST(TrustedClock, NeedsMoreThanTwoReadingsToConfirm) {
  World w;
  w.pass(kDay);
  w.clock.step_wall(30 * kDay);
  EXPECT_EQ(w.behind(), 30 * kDay);
  w.clock.advance(5 * kHour);
  EXPECT_EQ(w.behind(), 30 * kDay) << "the clock may have been right in between";
}

TEST(TrustedClock, KnowsNothingAtFirstUnlessStartIsTrust) {
  World w(TrustedClock::Start::kUnknown);
  EXPECT_EQ(w.trusted.now_ns(), 0);
  w.pass(kHour - kMinute);
  EXPECT_EQ(w.trusted.now_ns(), 0);
  w.pass(2 * kMinute);
  EXPECT_EQ(w.behind(), 0);
}

TEST(TrustedClock, ConfirmsSoonerForShortRetention) {
  EXPECT_EQ(TrustedClock::confirm_for(7 * kDay), kHour);
  EXPECT_EQ(TrustedClock::confirm_for(10 * kSecond), kSecond);
  EXPECT_EQ(TrustedClock::confirm_for(0), 0);
}

struct Stored {
  TrustedClock open(const std::string& boot) {
    return TrustedClock(clock, {.confirm_ns = kHour, .file = "/clock", .disk = &disk, .boot_id = boot});
  }
  testing::FaultDisk disk;
  FakeClock clock;
};

int64_t after(FakeClock& clock, TrustedClock& trusted, int64_t ns) {
  for (int64_t at = 0; at < ns; at += kMinute) {
    clock.advance(kMinute);
    trusted.now_ns();
  }
  return clock.wall_ns() - trusted.now_ns();
}

TEST(TrustedClock, ContinuesAfterARestartOfTheProgram) {
  Stored w;
  TrustedClock first = w.open("a");
  ASSERT_EQ(after(w.clock, first, 2 * kHour), 0);
  w.clock.advance(kDay);
  TrustedClock second = w.open("a");
  EXPECT_EQ(w.clock.wall_ns() - second.now_ns(), 0);
  w.clock.step_wall(30 * kDay);
  TrustedClock third = w.open("a");
  EXPECT_EQ(w.clock.wall_ns() - third.now_ns(), 30 * kDay) << "a change during the downtime is a jump too";
}

TEST(TrustedClock, StartsAtTheLastStoredTimeAfterAReboot) {
  Stored w;
  TrustedClock first = w.open("a");
  ASSERT_EQ(after(w.clock, first, 2 * kHour), 0);
  const int64_t seen = w.clock.wall_ns();
  w.clock.step_wall(400 * kDay);
  TrustedClock second = w.open("b");
  EXPECT_LE(second.now_ns(), seen);
  EXPECT_GE(second.now_ns(), seen - 10 * kMinute);
  EXPECT_EQ(after(w.clock, second, kHour + kMinute), 0);
}

TEST(TrustedClock, IgnoresADamagedFile) {
  for (const char* const text : {"", "1 a", "2 a 1 2\n", "1 a x 2\n", "1 a 9223372036854775807 1\n", "\x01\x02"}) {
    Stored w;
    w.disk.put("/clock", text);
    EXPECT_EQ(w.open("a").now_ns(), 0) << text;
  }
}

}  // namespace
}  // namespace monitor

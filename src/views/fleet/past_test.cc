#include "views/fleet/past.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace monitor::analysis {
namespace {

constexpr int64_t kBegin = int64_t{1'700'000'000} * kNanosPerSecond;  // the start of a step

class PastTest : public ::testing::Test {
 protected:
  // Adds a value of the first figure, this many seconds after the start.
  void tick(double seconds, double value, double width = 0) {
    past_.note(kBegin + static_cast<int64_t>(seconds * 1e9), {value}, ++change_, static_cast<int64_t>(width * 1e9));
  }
  void ticks(double from, double to, double interval) {
    for (double at = from; at < to; at += interval) tick(at, 1 + at / 1000);
  }
  // Draws the steps from the first value on: "#" for a step with a value, "." for a gap.
  std::string picture(size_t figure = 0) const {
    std::string out;
    for (const float step : past_.steps(figure)) out += std::isfinite(step) ? "#" : out.empty() ? "" : ".";
    return out;
  }
  bool gapless() const { return !picture().empty() && picture().find('.') == std::string::npos; }

  Past past_;
  uint64_t change_ = 0;
};

TEST_F(PastTest, JoinsTicksOfAnyInterval) {
  for (const double interval : {0.1, 1.0, 3.0, 4.9, 5.0, 6.0, 7.5, 10.0, 15.0, 22.0, 60.0, 150.0}) {
    past_ = Past();
    ticks(0.4, 700, interval);
    EXPECT_TRUE(gapless()) << interval << " s: " << picture();
    EXPECT_EQ(past_.steps(0).size(), Past::kSteps);
    // The line must connect the values, not just repeat them.
    for (size_t i = 1; i < Past::kSteps; ++i) EXPECT_LE(past_.steps(0)[i - 1], past_.steps(0)[i]) << interval;
  }
}

TEST_F(PastTest, ShowsEachSeriesByItsOwnInterval) {
  for (int second = 0; second < 300; second += 5) {
    Figures figures;
    figures[0] = 1;
    if (second % 10 == 0) figures[1] = 2;
    if (second % 15 == 0) figures[2] = 3;
    past_.note(kBegin + second * kNanosPerSecond, figures, ++change_);
  }
  for (const size_t figure : {0U, 1U, 2U}) EXPECT_EQ(picture(figure), std::string(60, '#')) << figure;
  EXPECT_EQ(picture(3), "");
}

TEST_F(PastTest, LeavesAGapWhereATickIsMissing) {
  for (const double interval : {6.0, 10.0, 15.0, 30.0}) {
    past_ = Past();
    for (double at = 0; at < 290; at += interval) {
      if (at != interval * 5) tick(at, 1);
    }
    const std::string shown = picture();
    // The gap must lie exactly between the steps of the two values next to the missing one.
    const auto before = static_cast<size_t>(interval * 4) / 5;
    const auto after = static_cast<size_t>(interval * 6) / 5;
    EXPECT_EQ(shown.find('.'), before + 1) << interval << " s: " << shown;
    EXPECT_EQ(shown.rfind('.'), after - 1) << interval << " s: " << shown;
    EXPECT_EQ(std::ranges::count(shown, '.'), static_cast<long>(after - before - 1)) << interval << " s: " << shown;
  }
}

TEST_F(PastTest, ChangedIntervalLeavesNoGap) {
  ticks(0, 60, 1);
  ticks(60, 120, 15);
  EXPECT_TRUE(gapless()) << picture();
  ticks(108, 240, 10);  // with another phase: the first distance is short
  EXPECT_TRUE(gapless()) << picture();
  ticks(240, 290, 0.5);
  EXPECT_TRUE(gapless()) << picture();
}

TEST_F(PastTest, HoldsTheNewestValueUntilTheNextIsOverdue) {
  ticks(0, 90, 15);  // the last one at 75 s
  for (double at = 80; at <= 90; at += 5)
    past_.note(kBegin + static_cast<int64_t>(at * 1e9), Figures{std::nullopt, 1.0}, ++change_);
  EXPECT_TRUE(gapless()) << picture();
  for (double at = 95; at <= 120; at += 5)
    past_.note(kBegin + static_cast<int64_t>(at * 1e9), Figures{std::nullopt, 1.0}, ++change_);
  EXPECT_EQ(picture().find('.'), 21U) << "the gap must start 26 s after the last value: " << picture();
}

TEST_F(PastTest, JoinsAveragesAndContinuesWithTicks) {
  for (const double at : {5.0, 15.0, 35.0, 45.0, 65.0})
    tick(at, 1, 10);  // averages over 10 s of ticks that are 15 s apart
  ticks(75, 100, 15);
  EXPECT_TRUE(gapless()) << picture();
}

TEST_F(PastTest, ReportsWhichStepsChanged) {
  ticks(0, 100, 1);
  EXPECT_EQ(past_.changed_after(0), Past::kSteps);
  EXPECT_EQ(past_.changed_after(change_), 0U);
  const uint64_t told = change_;
  tick(100, 2);
  EXPECT_EQ(past_.changed_after(told), 1U);
  tick(120, 2);  // the steps in between are a gap for now
  const uint64_t told_again = change_;
  EXPECT_EQ(past_.changed_after(told), 5U);
  tick(140, 2);  // with this tick they are not
  EXPECT_EQ(past_.changed_after(told_again), 8U);
}

TEST_F(PastTest, ContinuesAfterAClockIsSetBack) {
  ticks(1000, 1100, 10);
  ticks(0, 100, 10);
  EXPECT_TRUE(gapless()) << picture();
  EXPECT_EQ(past_.end_ns(), kBegin + 90 * kNanosPerSecond);
}

}  // namespace
}  // namespace monitor::analysis

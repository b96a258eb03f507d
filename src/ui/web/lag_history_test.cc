#include "ui/web/lag_history.h"

#include <gtest/gtest.h>

#include <string>

namespace monitor::analysis::web {
namespace {

constexpr int64_t kStart = int64_t{1'700'000'040} * kNanosPerSecond;  // the start of a coarse step

TEST(LagHistoryTest, KeepsAnHourInFineStepsAndADayInCoarseOnes) {
  LagHistory history;
  EXPECT_EQ(history.since_ns(), 0);
  int64_t now = kStart;
  for (int64_t i = 0; i < 2 * 24 * 360; ++i, now += LagHistory::kStep)
    history.add({.time_ns = now, .stored = i * 10, .lags = {{"readers", i % 12}}});
  now -= LagHistory::kStep;
  const auto hour = history.past(LagHistory::kFineFor, now);
  EXPECT_EQ(hour.step_ns, LagHistory::kStep);
  ASSERT_EQ(hour.samples.size(), 360U);
  EXPECT_EQ(hour.samples.back()->time_ns, now);
  EXPECT_EQ(hour.samples[359]->stored - hour.samples[358]->stored, 10);
  const auto day = history.past(LagHistory::kKeptFor, now);
  EXPECT_EQ(day.step_ns, LagHistory::kCoarseStep);
  ASSERT_EQ(day.samples.size(), 720U);
  EXPECT_EQ(day.samples.front()->lags.at("readers"), 11) << "the largest of its step";
  EXPECT_GT(history.since_ns(), now - LagHistory::kKeptFor);
  EXPECT_LT(history.since_ns(), now - LagHistory::kKeptFor + 2 * LagHistory::kCoarseStep);
  EXPECT_EQ(history.past(60 * kNanosPerSecond, now).samples.size(), 6U);
}

TEST(LagHistoryTest, IgnoresTimesThatDoNotRiseAndReadersBeyondTheBound) {
  LagHistory history;
  LagHistory::Sample many{.time_ns = kStart};
  for (int i = 0; i < 300; ++i) many.lags["reader-" + std::to_string(i)] = i;
  history.add(many);
  many.lags = {{"another", 1}};
  history.add(many);
  many.time_ns -= 1;
  history.add(many);
  ASSERT_EQ(history.past(LagHistory::kFineFor, kStart).samples.size(), 1U);
  many.time_ns = kStart + LagHistory::kStep;
  history.add(many);
  EXPECT_EQ(history.past(LagHistory::kFineFor, kStart).samples[0]->lags.size(), LagHistory::kMostReaders);
  const auto coarse = history.past(LagHistory::kKeptFor, kStart + LagHistory::kStep);
  ASSERT_EQ(coarse.samples.size(), 1U);
  EXPECT_EQ(coarse.samples[0]->lags.size(), LagHistory::kMostReaders);
}

}  // namespace
}  // namespace monitor::analysis::web

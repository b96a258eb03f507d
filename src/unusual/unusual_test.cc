// The score and what it is computed from, compared with a slow model that keeps everything.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "unusual/baseline.h"
#include "unusual/score.h"
#include "unusual/series_scorer.h"
#include "unusual/testing/slow_score.h"

namespace monitor::unusual {
namespace {

using testing::judged;
using testing::Minute;
using testing::slow_score;

constexpr int64_t kHour = 60;  // minutes
constexpr int64_t kDay = 24 * kHour;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(Score, IsTheShareOfTheNewRangeThatIsNew) {
  const Extremes known{10, 20};
  EXPECT_EQ(score({12, 18}, known), 0);
  EXPECT_EQ(score({10, 20}, known), 0);
  EXPECT_EQ(score({12, 30}, known), 0.5);
  EXPECT_EQ(score({0, 18}, known), 0.5);
  EXPECT_EQ(score({12, 50}, known), 0.75);
  EXPECT_EQ(score({-5, 21}, known), 0.6);  // the farther side counts
}

TEST(Score, GivesAConstantSeriesARangeOfOnePercent) {
  EXPECT_EQ(score({100, 100}, {100, 100}), 0);
  EXPECT_DOUBLE_EQ(score({101, 101}, {100, 100}), 0.5);
  EXPECT_DOUBLE_EQ(score({-101, -101}, {-100, -100}), 0.5);
  EXPECT_LT(score({100.01, 100.01}, {100, 100}), kUnusualFrom);
  EXPECT_EQ(score({1e-9, 1e-9}, {0, 0}), 1);
}

TEST(Score, IsANumberForTheLargestValues) {
  constexpr double kMost = std::numeric_limits<double>::max();
  EXPECT_EQ(score({0, kInfinity}, {0, 1}), 1);
  EXPECT_EQ(score({-kInfinity, 0}, {0, 1}), 1);
  EXPECT_EQ(score({kInfinity, kInfinity}, {0, kInfinity}), 0);
  EXPECT_EQ(score({kMost, kMost}, {-kMost, kMost / 2}), 0);
}

TEST(Score, TakesTheLeastOfTheWindowsThatHaveData) {
  const std::vector<Extremes> windows = {{10, 20}, {}, {0, 40}};
  EXPECT_EQ(score({60, 60}, windows), 20.0 / 60);
  EXPECT_EQ(score({30, 30}, windows), 0);
}

// Every hour that was added.
class SlowBaseline {
 public:
  void add(int64_t hour, const Extremes& extremes) { hours_[hour].add(extremes); }
  std::optional<Baseline::Windows> windows(int64_t end) const {
    int64_t count = 0;
    Baseline::Windows found;
    for (const auto& [hour, extremes] : hours_) {
      if (hour >= end - kLongestHours) ++count;
      for (size_t i = 0; i < found.size(); ++i) {
        if (hour >= end - kWindowHours.at(i)) found.at(i).add(extremes);
      }
    }
    return count < kLeastHours ? std::nullopt : std::optional(found);
  }

 private:
  std::map<int64_t, Extremes> hours_;
};

TEST(BaselineModel, AgreesWhateverTheOrderOfHours) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    Baseline baseline;
    SlowBaseline slow;
    const int64_t start = std::uniform_int_distribution<int64_t>(-500'000, 500'000)(random);
    int64_t newest = start;
    // Few different values, so that many are equal.
    std::uniform_int_distribution<int> value(-4, 4);
    const int lateness = std::uniform_int_distribution<int>(0, 250)(random);
    for (int step = 0; step < 300; ++step) {
      newest += std::discrete_distribution<int>({4, 40, 4, 1})(random);
      if (step % 97 == 0) newest += std::uniform_int_distribution<int>(0, 200)(random);
      const int64_t hour = step % 5 == 0 ? newest - std::uniform_int_distribution<int>(0, lateness)(random) : newest;
      const double a = value(random);
      const double b = value(random);
      const Extremes extremes{std::min(a, b), std::max(a, b)};
      baseline.add(hour, extremes);
      slow.add(hour, extremes);
      const int64_t end = newest + 1 + std::uniform_int_distribution<int>(0, step % 7 == 0 ? 200 : 2)(random);
      ASSERT_EQ(baseline.windows(end), slow.windows(end)) << "round " << round << " step " << step;
    }
  }
}

TEST(Baseline, StaysSmallForAWeekOfRandomHours) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> value(50, 10);
  Baseline baseline;
  for (int64_t hour = 0; hour < 2000; ++hour) {
    const double center = value(random);
    baseline.add(hour, {center - 1, center + 1});
  }
  EXPECT_LE(baseline.bytes(), 1024U);
}

TEST(Baseline, IsBoundedForASeriesThatOnlyRises) {
  Baseline baseline;
  for (int64_t hour = 0; hour < 5000; ++hour)
    baseline.add(hour, {static_cast<double>(hour), static_cast<double>(hour)});
  EXPECT_LE(baseline.bytes(), size_t{2} * 16 * 256);
  EXPECT_EQ(baseline.windows(5000).value()[2], (Extremes{4832, 4999}));
}

// Minutes with gaps; of a counter, also resets.
std::vector<Minute> random_minutes(SeriesKind kind, std::mt19937_64& random) {
  std::vector<Minute> minutes;
  int64_t number = std::uniform_int_distribution<int64_t>(-1'000'000, 30'000'000)(random);
  const int64_t end = number + 9 * kDay;
  const int64_t stride = std::uniform_int_distribution<int64_t>(1, 40)(random);
  std::normal_distribution<double> noise(0, 1);
  double counter = 1000;
  double walk = 100;
  while (number < end) {
    walk += noise(random);
    const double level = 20 + 5 * std::sin(static_cast<double>(number) / 229) + walk;
    if (kind == SeriesKind::kGauge) {
      const double spread = std::abs(noise(random));
      minutes.push_back({number, {level - spread, level + spread}});
    } else {
      const double before = counter;
      counter += std::max(level, 0.0) * 60;
      const bool reset = random() % 300 == 0;
      if (reset) counter = std::max(level, 0.0);
      minutes.push_back({number, {reset ? 0 : before, reset ? before : counter}});
    }
    number += stride + (random() % 200 == 0 ? std::uniform_int_distribution<int64_t>(1, 3000)(random) : 0);
  }
  return minutes;
}

// Returns how many of the compared scores were above 0.
size_t compare_with_model(SeriesKind kind, uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::vector<Minute> minutes = random_minutes(kind, random);
  const auto values = judged(kind, minutes);
  SeriesScorer scorer(kind);
  size_t outside = 0;
  for (size_t i = 0; i < minutes.size(); ++i) {
    scorer.add(minutes[i].number, minutes[i].values);
    if (random() % 8 != 0) continue;
    const auto score = scorer.score();
    EXPECT_EQ(score, slow_score(minutes, values, i)) << "seed " << seed << " minute " << i;
    outside += score.value_or(0) > 0 ? 1 : 0;
  }
  return outside;
}

TEST(SeriesScorerModel, AgreesForGauges) {
  size_t outside = 0;
  for (uint64_t seed = 1; seed <= 15; ++seed) outside += compare_with_model(SeriesKind::kGauge, seed);
  EXPECT_GT(outside, 30U);
}

TEST(SeriesScorerModel, AgreesForCounters) {
  size_t outside = 0;
  for (uint64_t seed = 1; seed <= 15; ++seed) outside += compare_with_model(SeriesKind::kCounter, seed);
  EXPECT_GT(outside, 30U);
}

TEST(SeriesScorer, HasNoScoreBeforeADayOfData) {
  SeriesScorer scorer(SeriesKind::kGauge);
  // The first minute that has 24 whole hours before the guard.
  constexpr int64_t kFirst = 25 * kHour;
  for (int64_t minute = 0; minute <= kFirst; ++minute) {
    scorer.add(minute, {5, 5});
    EXPECT_EQ(scorer.score().has_value(), minute >= kFirst) << minute;
  }
}

TEST(SeriesScorer, CountsHoursWithDataAndNotTheTimeSinceTheFirst) {
  SeriesScorer scorer(SeriesKind::kGauge);
  // Eight hours a day: the fourth day begins with 24 hours.
  std::vector<int64_t> scored;
  for (int64_t day = 0; day < 4; ++day) {
    for (int64_t hour = 0; hour < 8; ++hour) {
      scorer.add((day * 24 + hour) * 60, {1, 2});
      if (scorer.score()) scored.push_back(day);
    }
  }
  EXPECT_EQ(scored, std::vector<int64_t>(8, 3));
}

TEST(SeriesScorer, KeepsANewLevelUnusualForAtLeastAnHour) {
  for (const int64_t start : {0, 1, 30, 59}) {
    SeriesScorer scorer(SeriesKind::kGauge);
    const int64_t jump = 48 * kHour + start;
    int64_t unusual = 0;
    for (int64_t minute = 0; minute < jump + 300; ++minute) {
      const double value = minute < jump ? static_cast<double>(minute % 7) : 30;
      scorer.add(minute, {value, value});
      const auto score = scorer.score();
      if (score && *score >= kUnusualFrom) ++unusual;
    }
    EXPECT_EQ(unusual, 120 - start);
  }
}

TEST(SeriesScorer, NeverFindsSteadyGrowthUnusual) {
  SeriesScorer scorer(SeriesKind::kGauge);
  for (int64_t minute = 0; minute < 10 * kDay; ++minute) {
    scorer.add(minute, {static_cast<double>(minute), static_cast<double>(minute)});
    ASSERT_LT(scorer.score().value_or(0), kUnusualFrom) << minute;
  }
}

TEST(SeriesScorer, ComparesRatesOfCounters) {
  SeriesScorer scorer(SeriesKind::kCounter);
  double counter = 0;
  int64_t minute = 0;
  for (; minute < 30 * kHour; ++minute) {
    counter += minute % 2 == 0 ? 60 : 120;  // 1 or 2 a second
    scorer.add(minute, {counter - 10, counter});
    ASSERT_EQ(scorer.score().value_or(0), 0) << minute;
  }
  counter += 240;
  scorer.add(minute++, {counter - 100, counter});
  EXPECT_DOUBLE_EQ(scorer.score().value(), 2.0 / 3);  // 4 a second: 2 beyond a range of 1
}

TEST(SeriesScorer, HasNoRateAfterAResetOrALongGap) {
  SeriesScorer scorer(SeriesKind::kCounter);
  double counter = 0;
  int64_t minute = 0;
  for (; minute < 30 * kHour; ++minute) scorer.add(minute, {counter, counter += 60});
  ASSERT_TRUE(scorer.score());
  scorer.add(minute, {0, counter + 30});  // it was reset within the minute
  EXPECT_FALSE(scorer.score());
  scorer.add(minute + 1, {40, 100});
  EXPECT_FALSE(scorer.score());
  scorer.add(minute + 2, {100, 160});
  EXPECT_TRUE(scorer.score());
  scorer.add(minute + 62, {160, 3760});
  EXPECT_TRUE(scorer.score());
  scorer.add(minute + 123, {3760, 7420});
  EXPECT_FALSE(scorer.score());
}

TEST(SeriesScorer, IgnoresMinutesWithoutValuesAndInTheWrongOrder) {
  SeriesScorer scorer(SeriesKind::kGauge);
  for (int64_t minute = 0; minute < 30 * kHour; ++minute) scorer.add(minute, {1, 2});
  const auto score = scorer.score();
  scorer.add(30 * kHour - 1, {9, 9});
  scorer.add(5, {9, 9});
  scorer.add(30 * kHour, {});
  EXPECT_EQ(scorer.score(), score);
}

}  // namespace
}  // namespace monitor::unusual

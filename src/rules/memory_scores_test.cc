// Scores of series in memory, compared with a slow model.
#include "rules/memory_scores.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "unusual/testing/slow_score.h"

namespace monitor::rules {
namespace {

using unusual::SeriesKind;
using unusual::testing::judged;
using unusual::testing::Minute;
using unusual::testing::slow_score;

constexpr int64_t kBeginMs = 1'700'000'123'000;

query::StoredSeries random_series(const std::string& name) {
  std::mt19937_64 random(3);
  query::StoredSeries series{query::Labels({{"__name__", name}}), {}};
  double value = 1000;
  for (int64_t ms = kBeginMs; ms < kBeginMs + 2 * int64_t{1440} * kMinuteMs; ms += 20'000) {
    // A few minutes without samples.
    if (ms / 1'000'000 % 9 == 0) continue;
    const bool counter = name.ends_with("_total");
    value += static_cast<double>(random() % 100) - (counter ? 0 : 49.5);
    // Peaks that become higher.
    const double peak = random() % 50 == 0 ? static_cast<double>(ms - kBeginMs) / 10'000 : 0;
    if (counter) value += peak;
    series.points.push_back({ms, counter ? value : value + peak});
  }
  return series;
}

std::vector<query::Point> expected(const query::StoredSeries& series, SeriesKind kind, int64_t from_ms, int64_t to_ms) {
  std::vector<Minute> minutes;
  for (const query::Point& point : series.points) {
    const int64_t minute = point.time_ms / kMinuteMs;
    if (minutes.empty() || minutes.back().number != minute) minutes.push_back({minute, {}});
    minutes.back().values.add({point.value, point.value});
  }
  const auto values = judged(kind, minutes);
  std::vector<query::Point> found;
  for (size_t i = 0; i < minutes.size(); ++i) {
    const int64_t end_ms = (minutes[i].number + 1) * kMinuteMs;
    if (end_ms < from_ms || end_ms > to_ms) continue;
    if (const auto score = slow_score(minutes, values, i)) found.push_back({end_ms, *score});
  }
  return found;
}

void compare(const std::string& name, SeriesKind kind) {
  const query::StoredSeries series = random_series(name);
  const int64_t to_ms = series.points.back().time_ms - 100 * kMinuteMs - 1;
  const int64_t from_ms = to_ms - 300 * kMinuteMs;
  const auto found = scores_of({series}, from_ms, to_ms);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].labels, series.labels);
  EXPECT_EQ(found[0].points, expected(series, kind, from_ms, to_ms));
  EXPECT_GT(std::ranges::count_if(found[0].points, [](const query::Point& point) { return point.value > 0; }), 0);
}

TEST(MemoryScores, AgreeWithTheModelForGauges) { compare("level", SeriesKind::kGauge); }
TEST(MemoryScores, AgreeWithTheModelForCounters) { compare("count_total", SeriesKind::kCounter); }

TEST(MemoryScores, LeaveOutASeriesWithoutADayOfData) {
  query::StoredSeries series = random_series("level");
  series.points.resize(500);
  EXPECT_TRUE(scores_of({series}, 0, INT64_MAX / 2).empty());
}

}  // namespace
}  // namespace monitor::rules

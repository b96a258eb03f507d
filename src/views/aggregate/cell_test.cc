#include "views/aggregate/cell.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/random.h"

namespace monitor::analysis {
namespace {

Stat stat(Stat::Kind kind) { return {kind, 0, ""}; }
const Stat kRate = stat(Stat::Kind::kRate);

AggregateSpec spec_with(const char* stats) {
  AggregateSpec spec;
  spec.stats = *parse_stats(stats);
  return spec;
}

// A value of a counter: one each second, one in each batch.
Sample counter(int64_t second, double value, uint64_t incarnation = 1) {
  return {.time_ns = second * kNanosPerSecond,
          .value = value,
          .series = 0,
          .counter = true,
          .incarnation = incarnation,
          .sequence = static_cast<uint64_t>(second) + 1};
}

double rate_of(const std::vector<Sample>& samples) {
  Cell cell;
  for (const Sample& sample : samples) cell.add(sample, Wanted(spec_with("rate")));
  return cell.value(kRate);
}

TEST(Cell, ReducesToSimpleStatistics) {
  Cell cell;
  const Wanted wanted(spec_with("p50"));
  for (const double value : {3.0, -1.0, 4.0}) {
    cell.add({.time_ns = static_cast<int64_t>(10 - value), .value = value}, wanted);
  }
  cell.add({.time_ns = 99, .value = std::nan("")}, wanted);
  EXPECT_EQ(cell.value(stat(Stat::Kind::kCount)), 3);
  EXPECT_EQ(cell.value(stat(Stat::Kind::kSum)), 6);
  EXPECT_EQ(cell.value(stat(Stat::Kind::kAvg)), 2);
  EXPECT_EQ(cell.value(stat(Stat::Kind::kMin)), -1);
  EXPECT_EQ(cell.value(stat(Stat::Kind::kMax)), 4);
  EXPECT_EQ(cell.value(stat(Stat::Kind::kFirst)), 4);
  EXPECT_EQ(cell.value(stat(Stat::Kind::kLast)), -1);
  EXPECT_NEAR(cell.value({Stat::Kind::kQuantile, 0.5, ""}), 3, 0.03);
  EXPECT_EQ(cell.value({Stat::Kind::kQuantile, 1, ""}), 4) << "the extremes are exact";
  EXPECT_TRUE(std::isnan(Cell().value(stat(Stat::Kind::kAvg))));
}

TEST(Cell, SumsWithoutLosingSmallValues) {
  Cell cell;
  const Wanted wanted(spec_with("sum"));
  cell.add({.value = 1e16}, wanted);
  for (int i = 0; i < 1000; ++i) cell.add({.value = 1}, wanted);
  cell.add({.value = -1e16}, wanted);
  EXPECT_EQ(cell.value(stat(Stat::Kind::kSum)), 1000);
}

TEST(Cell, RateOfACounterIncludesResets) {
  EXPECT_DOUBLE_EQ(rate_of({counter(0, 10), counter(1, 12), counter(2, 20)}), 5);
  EXPECT_DOUBLE_EQ(rate_of({counter(0, 10), counter(1, 14), counter(2, 3), counter(3, 5)}), (4 + 3 + 2) / 3.0);
  EXPECT_DOUBLE_EQ(rate_of({counter(0, 10), counter(1, 10)}), 0);
  EXPECT_TRUE(std::isnan(rate_of({counter(0, 10)})));
  // The agent restarts, and so does the counter: sequences begin anew.
  std::vector<Sample> restarted = {counter(0, 10), counter(1, 14), counter(2, 1, 2), counter(3, 2, 2)};
  restarted[2].sequence = 1;
  restarted[3].sequence = 2;
  EXPECT_DOUBLE_EQ(rate_of(restarted), (4 + 1 + 1) / 3.0);
}

TEST(Cell, RateOfAGaugeIsItsChange) {
  Cell cell;
  for (int64_t i = 0; i < 5; ++i) {
    Sample sample = counter(i, i == 2 ? 100.0 : 8.0 - static_cast<double>(i));
    sample.counter = false;
    cell.add(sample, Wanted(spec_with("rate")));
  }
  EXPECT_DOUBLE_EQ(cell.value(kRate), -1);
}

// Values with resets, in any order, with some missing.
TEST(Cell, RateDoesNotDependOnTheOrder) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SeededRandom random(seed);
    std::vector<Sample> samples;
    double value = 0;
    for (int64_t i = 0; i < 30; ++i) {
      value =
          random.below(6) == 0 ? static_cast<double>(random.below(5)) : value + static_cast<double>(random.below(9));
      if (random.below(5) != 0) samples.push_back(counter(i, value));
    }
    if (samples.size() < 2) continue;
    double increase = 0;
    for (size_t i = 1; i < samples.size(); ++i) {
      const double step = samples[i].value - samples[i - 1].value;
      increase += step < 0 ? samples[i].value : step;
    }
    const double seconds = static_cast<double>(samples.back().time_ns - samples[0].time_ns) / 1e9;
    for (size_t i = samples.size(); i > 1; --i) std::swap(samples[i - 1], samples[random.below(i)]);
    EXPECT_NEAR(rate_of(samples), increase / seconds, 1e-9) << seed;
  }
}

TEST(Cell, BoundsTheRunsOfASeries) {
  std::vector<Sample> samples;
  for (int64_t i = 0; i < 1000; ++i) samples.push_back(counter(2 * i, static_cast<double>(i % 100)));
  Cell cell;
  for (const Sample& sample : samples) cell.add(sample, Wanted(spec_with("rate")));
  EXPECT_NEAR(cell.value(kRate), (1000 - 10) / 1998.0, 1e-9);
  std::string bytes;
  cell.encode(bytes);
  EXPECT_LT(bytes.size(), 100 * Cell::kMaxRunsOfSeries);
}

TEST(Cell, MergingEqualsAddingAll) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SeededRandom random(seed);
    const AggregateSpec spec = spec_with("rate,p50,avg,sum,first,last,min,max,count,p99");
    std::vector<Cell> cells(4);
    Cell all;
    for (int i = 0; i < 60; ++i) {
      Sample sample = counter(i, static_cast<double>(random.below(1000)) - 100);
      sample.series = static_cast<uint32_t>(random.below(3));
      sample.counter = sample.series != 2;
      all.add(sample, Wanted(spec));
      cells[static_cast<size_t>(i) / 15].add(sample, Wanted(spec));  // as panes do
    }
    Cell merged;
    for (const size_t i : {2U, 0U, 3U, 1U}) {
      std::string bytes;
      cells[i].encode(bytes);
      auto back = Cell::decode(bytes, 3);
      ASSERT_TRUE(back.ok()) << back.error().message();
      merged.merge(*back, 0);
    }
    for (const Stat& one : spec.stats) EXPECT_NEAR(merged.value(one), all.value(one), 1e-9) << one.name << " " << seed;
  }
}

TEST(Cell, SeriesOfTwoPartitionsStayApart) {
  const Wanted wanted(spec_with("rate"));
  Cell first;
  Cell second;
  for (int64_t i = 0; i < 3; ++i) {
    first.add(counter(i, static_cast<double>(i)), wanted);
    second.add(counter(i, 1000 + 2 * static_cast<double>(i)), wanted);
  }
  Cell both;
  both.merge(first, 0);
  both.merge(second, 1);
  EXPECT_DOUBLE_EQ(both.value(kRate), 3);
}

TEST(Cell, KnowsWhetherItsTimesAreWithinAPane) {
  Cell cell;
  for (int64_t i = 2; i < 5; ++i) cell.add(counter(i, static_cast<double>(i)), Wanted(spec_with("rate")));
  const int64_t first_ns = counter(2, 0).time_ns;
  const int64_t last_ns = counter(4, 0).time_ns;
  EXPECT_TRUE(cell.is_within(first_ns, last_ns + 1));
  EXPECT_FALSE(cell.is_within(first_ns, last_ns)) << "a pane's end is not in it";
  EXPECT_FALSE(cell.is_within(first_ns + 1, last_ns + 1));
}

TEST(Cell, RefusesMalformedForms) {
  Cell cell;
  cell.add(counter(1, 2), Wanted(spec_with("rate,p50")));
  std::string bytes;
  cell.encode(bytes);
  EXPECT_TRUE(Cell::decode(bytes, 1).ok());
  EXPECT_FALSE(Cell::decode(bytes, 0).ok()) << "its series is unknown";
  EXPECT_FALSE(Cell::decode("", 1).ok());
  EXPECT_FALSE(Cell::decode(bytes.substr(0, bytes.size() - 1), 1).ok());
}

}  // namespace
}  // namespace monitor::analysis

// The ledger: amounts that add up, the times of losses, and the ranges of one run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "views/ledger/point_sums.h"
#include "views/ledger/recent_losses.h"
#include "views/ledger/run_ranges.h"
#include "views/ledger/testing/ledger_fixture.h"

namespace monitor::analysis {
namespace {

using ::testing::ElementsAre;

uint64_t parts_of(const LedgerSums& s, uint64_t LedgerSums::Amount::* unit) {
  return s.stored.*unit + s.dropped.*unit + s.waiting.*unit + s.missing.*unit + s.elsewhere.*unit + s.expired.*unit +
         s.unread.*unit;
}

void expect_sum(const LedgerRow& row) {
  EXPECT_EQ(row.sums.made.batches, parts_of(row.sums, &LedgerSums::Amount::batches));
  EXPECT_EQ(row.sums.made.points, parts_of(row.sums, &LedgerSums::Amount::points));
}

// A run whose batches differ in size, some of whose points a plugin drops before they are in a batch.
class UnevenRun {
 public:
  explicit UnevenRun(int64_t now_ns) : now_(now_ns) {}
  metrics::Batch next(size_t points, uint64_t filtered = 0) {
    metrics::Batch batch = batch_of('x', ++sequence_, now_);
    batch.frames.resize(1);
    batch.frames[0].points.assign(points, {0, {}, {}});
    made_ += points + filtered;
    filtered_ += filtered;
    batch.counters = {.ticks_due = sequence_, .points_made = made_};
    if (filtered_ > 0) {
      batch.counters.dropped = {{.stage = "plugin", .reason = "filtered", .points = filtered_, .plugin = "filter"}};
    }
    return batch;
  }
  uint64_t made() const { return made_; }

 private:
  int64_t now_;
  uint64_t sequence_ = 0;
  uint64_t made_ = 0;
  uint64_t filtered_ = 0;
};

TEST_F(LedgerTest, PointsOfBatchesThatDidNotArriveAreExact) {
  UnevenRun run(kStart);
  take(run.next(10, 4));
  run.next(7);  // is lost
  metrics::Batch third = run.next(20, 1);
  third.first_unacked = 3;
  take(third);
  run.next(9);  // waits
  metrics::Batch fifth = run.next(1);
  fifth.first_unacked = 4;
  take(fifth);
  const LedgerSums sums = row().sums;
  EXPECT_EQ(sums.missing.batches, 1U);
  EXPECT_EQ(sums.missing.points, 7U);
  EXPECT_EQ(sums.waiting.batches, 1U);
  EXPECT_EQ(sums.waiting.points, 9U);
  EXPECT_EQ(sums.dropped.points, 5U);
  EXPECT_EQ(sums.made.points, 52U);
  EXPECT_FALSE(sums.estimated);
  expect_sum(row());
}

TEST_F(LedgerTest, PointsOfOneGapWithTwoOutcomesAreDivided) {
  UnevenRun run(kStart);
  take(run.next(10));
  run.next(6);
  run.next(8);
  metrics::Batch fourth = run.next(1);
  fourth.first_unacked = 3;  // 2 is lost, 3 waits
  take(fourth);
  const LedgerRow row = this->row();
  EXPECT_TRUE(row.sums.estimated);
  EXPECT_EQ(row.sums.missing.points + row.sums.waiting.points, 14U);
  expect_sum(row);
}

TEST_F(LedgerTest, WhatWasBeforeTheReadPartIsUnread) {
  ledger_.fresh(0, {.begin = 0, .next = 5, .end = 5});  // reads from there
  UnevenRun run(kStart);
  run.next(11, 3);
  run.next(12);
  take(run.next(5));
  const LedgerRow row = this->row();
  EXPECT_THAT(row.unread, ElementsAre(std::pair(1U, 2U)));
  EXPECT_EQ(row.sums.unread.points, 23U);
  EXPECT_TRUE(row.missing.empty());
  expect_sum(row);
}

// Whatever arrives, and in whatever order, the parts add up.
TEST_F(LedgerTest, PartsAddUpForRandomRuns) {
  std::mt19937 random(17);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same runs each time
  const auto chance = [&](unsigned percent) { return random() % 100 < percent; };
  for (int round = 0; round < 200; ++round) {
    ledger_.fresh(0, {});
    UnevenRun run(kStart);
    std::vector<metrics::Batch> sent;
    uint64_t unacked = 1;
    for (uint64_t sequence = 1; sequence <= 30; ++sequence) {
      metrics::Batch batch = run.next(1 + random() % 20, chance(30) ? random() % 9 : 0);
      if (chance(10)) unacked = std::max(unacked, 1 + random() % sequence);
      batch.first_unacked = unacked;
      if (!chance(25)) sent.push_back(batch);
    }
    std::ranges::shuffle(sent, random);
    for (const metrics::Batch& batch : sent) take(batch);
    if (sent.empty()) continue;
    SCOPED_TRACE(round);
    expect_sum(row());
    ASSERT_LE(row().sums.made.points, run.made());
  }
}

TEST_F(LedgerTest, PointsOfADamagedBatchFollowFromItsNeighbours) {
  UnevenRun run(kStart);
  take(run.next(10));
  run.next(6);
  metrics::Batch third = run.next(1);
  third.drops = {drop_of('x', 2, 2, "damaged")};
  third.drops[0].points = 0;
  take(third);
  const LedgerRow row = this->row();
  ASSERT_EQ(row.dropped.size(), 1U);
  EXPECT_EQ(row.dropped[0].points, 6U);
  EXPECT_FALSE(row.sums.estimated);
  expect_sum(row);
}

TEST_F(LedgerTest, ADropThatReachesBeyondStoredBatchesAddsUp) {
  for (uint64_t sequence = 1; sequence <= 6; ++sequence) {
    metrics::Batch batch = fresh('x', sequence);
    if (sequence == 6) {
      batch.drops = {drop_of('x', 5, 7, "damaged")};
      batch.drops[0].points = 1;
    }
    take(batch);
  }
  expect_sum(row());
}

TEST_F(LedgerTest, BatchesOfWhichOnlyTheNumberIsKnownAreInNoSum) {
  metrics::Batch batch = fresh('x', 1);
  batch.counters.dropped = {{.stage = "spool", .reason = "damaged", .batches = 1}};
  take(batch);
  const LedgerRow row = this->row();
  ASSERT_EQ(row.dropped.size(), 1U);
  EXPECT_FALSE(is_placed(row.dropped[0]));
  EXPECT_THAT(to_json(row), ::testing::HasSubstr(R"("last_time":null,"unplaced":true)"));
  EXPECT_EQ(row.sums.dropped.batches, 0U);
  expect_sum(row);
}

TEST_F(LedgerTest, DropsHaveTheTimesOfTheirTicks) {
  metrics::Batch batch = fresh('x', 4);
  metrics::Drop drop = drop_of('x', 2, 3);
  drop.first_time_ns = kStart - 20;
  drop.last_time_ns = kStart - 10;
  metrics::Drop failed = metrics::unbatched_drop("plugin", "failed", "odd", 1, 40, kStart - 5);
  failed.incarnation = run_id('x');
  batch.drops = {drop, failed};
  batch.counters.dropped = {{.stage = "plugin", .reason = "failed", .ticks = 1, .points = 40, .plugin = "odd"}};
  take(fresh('x', 1));
  take(batch);
  take(batch);  // the report of a drop is repeated
  const LedgerRow row = this->row();
  ASSERT_EQ(row.dropped.size(), 2U);
  EXPECT_EQ(row.dropped[0].plugin, "odd");
  EXPECT_EQ(row.dropped[0].first_time_ns, kStart - 5);
  EXPECT_EQ(row.dropped[1].first_time_ns, kStart - 20);
  EXPECT_EQ(row.dropped[1].last_time_ns, kStart - 10);
}

TEST_F(LedgerTest, ListsTheRangesOfARun) {
  take(fresh('x', 1));
  take(fresh('x', 2));
  metrics::Batch sixth = fresh('x', 6);
  sixth.drops = {drop_of('x', 3, 4)};
  sixth.drops[0].first_time_ns = sixth.drops[0].last_time_ns = kStart;
  take(sixth);
  const auto detail = detail_of(ledger_, "a", run_id('x'), {.now_ns = now_, .log = log_});
  ASSERT_TRUE(detail);
  std::vector<std::string> shown;
  for (const RunRange& one : detail->ranges) {
    shown.push_back(std::string(one.kind) + " " + std::to_string(one.first) + "-" + std::to_string(one.last));
  }
  EXPECT_THAT(shown, ElementsAre("stored 1-2", "dropped 3-4", "missing 5-5", "stored 6-6"));
  EXPECT_EQ(detail->ranges[1].first_time_ns, kStart);
  EXPECT_EQ(detail->ranges[2].since_ns, now_);
  EXPECT_TRUE(nlohmann::json::accept(to_json(*detail)));
  EXPECT_FALSE(detail_of(ledger_, "a", run_id('y'), {}));
  EXPECT_FALSE(detail_of(ledger_, "?", run_id('x'), {})) << "an id, not a pattern";
}

TEST(PointSumsTest, JoinsNeighboursInAnyOrder) {
  PointSums sums;
  sums.add(5, 50, 8);
  sums.add(1, 10, 10);
  EXPECT_EQ(sums.of_gap(2, 4), 32U);
  EXPECT_FALSE(sums.of_gap(2, 3));
  sums.add(3, 30, 5);
  EXPECT_EQ(sums.of_gap(2, 2), 15U);
  EXPECT_EQ(sums.of_gap(4, 4), 12U);
  sums.add(2, 25, 15);
  sums.add(4, 42, 12);
  sums.add(4, 99, 12);  // known
  ASSERT_EQ(sums.parts().size(), 1U);
  EXPECT_EQ(sums.parts().begin()->second.last, 5U);
  EXPECT_EQ(sums.parts().begin()->second.through, 50U);
}

TEST(RecentLossesTest, MergesTheOldestOnes) {
  RecentLosses losses;
  const auto loss = [](int64_t at) { return metrics::unbatched_drop("plugin", "filtered", "f", 1, 3, at); };
  for (int64_t at = 1; at <= 40; ++at) {
    losses.add(loss(at));
    losses.add(loss(at));
  }
  losses.add(loss(2));  // in the sum already
  ASSERT_EQ(losses.kinds().size(), 1U);
  const auto& all = losses.kinds()[0].losses;
  EXPECT_EQ(all.size(), RecentLosses::kMost);
  uint64_t ticks = 0;
  for (const auto& one : all) ticks += one.ticks;
  EXPECT_EQ(ticks, 40U);
  EXPECT_EQ(all.front().first_time_ns, 1);
  EXPECT_EQ(all.back().last_time_ns, 40);
}

}  // namespace
}  // namespace monitor::analysis

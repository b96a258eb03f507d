// The ledger: the fate of each batch.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "views/ledger/ledger_table.h"
#include "views/ledger/report.h"
#include "views/ledger/testing/ledger_fixture.h"

namespace monitor::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST_F(LedgerTest, CountsStoredBatches) {
  for (const uint64_t sequence : {1, 3, 2}) take(fresh('x', sequence));
  ledger_.apply_copy({}, fresh('x', 2));
  const LedgerRow x = row();
  EXPECT_EQ(x.agent, "a");
  EXPECT_EQ(x.host, "host");
  EXPECT_EQ(x.first_sequence, 1U);
  EXPECT_EQ(x.last_sequence, 3U);
  EXPECT_EQ(x.batches_stored, 3U);
  EXPECT_EQ(x.duplicates, 1U);
  EXPECT_EQ(x.points_made, 18U) << "the totals of the highest sequence, not of the last record";
  EXPECT_EQ(x.points_stored, 18U);
  EXPECT_EQ(x.ticks_due, 6U);
  EXPECT_EQ(x.ticks_stored, 6U);
  EXPECT_THAT(x.missing, IsEmpty());
  EXPECT_EQ(x.end, LedgerRow::End::kRunning);
}

TEST_F(LedgerTest, GapIsMissingOnlyBelowAClaimAndIfOldEnough) {
  take(fresh('x', 1));
  metrics::Batch waits = fresh('x', 5);
  waits.first_unacked = 2;
  take(waits);
  EXPECT_THAT(row().missing, IsEmpty()) << "2 to 4 may wait in the spool";
  EXPECT_THAT(row().waiting, ElementsAre(Pair(2, 4)));
  pass(100);
  metrics::Batch claims = fresh('x', 6);
  claims.first_unacked = 4;
  take(claims);
  EXPECT_THAT(row().missing, ElementsAre(Pair(2, 3)));
  EXPECT_THAT(row('x', 60 * kNanosPerSecond).missing, IsEmpty());
  EXPECT_THAT(row('x', 60 * kNanosPerSecond).waiting, ElementsAre(Pair(2, 4)));
  pass(60);
  EXPECT_THAT(row('x', 60 * kNanosPerSecond).missing, ElementsAre(Pair(2, 3)));
  take(fresh('x', 2));
  EXPECT_THAT(row().missing, ElementsAre(Pair(3, 3)));
}

TEST_F(LedgerTest, DropRecordExplainsAGapWheneverItArrives) {
  take(fresh('x', 1));
  take(fresh('x', 5));
  EXPECT_THAT(row().missing, ElementsAre(Pair(2, 4)));
  metrics::Batch tells = fresh('x', 6);
  tells.counters.dropped = {{"spool", "full", 3, 6, 18}, {"plugin", "filtered", 0, 0, 4}};
  tells.drops = {drop_of('x', 2, 4)};
  take(tells);
  const LedgerRow x = row();
  EXPECT_THAT(x.missing, IsEmpty());
  ASSERT_EQ(x.dropped.size(), 2U);
  EXPECT_EQ(x.dropped[0].reason, "filtered");
  EXPECT_EQ(x.dropped[0].points, 4U);
  EXPECT_EQ(x.dropped[1].batches, 3U);
  EXPECT_EQ(x.dropped[1].points, 18U);
}

TEST_F(LedgerTest, StoredTakesPrecedenceOverDropped) {
  take(fresh('x', 1));
  metrics::Batch tells = fresh('x', 4);
  tells.counters.dropped = {{"spool", "full", 2, 4, 12}};
  tells.drops = {drop_of('x', 2, 3)};
  take(tells);
  take(fresh('x', 3));
  ASSERT_EQ(row().dropped.size(), 1U);
  EXPECT_EQ(row().dropped[0].batches, 1U);
  EXPECT_EQ(row().dropped[0].points, 6U);
  take(fresh('x', 2));
  EXPECT_THAT(row().dropped, IsEmpty());
}

TEST_F(LedgerTest, CountsDropsOfAnotherRunThere) {
  take(fresh('x', 1));
  metrics::Batch next = fresh('y', 1);
  next.ended = {end_of('x', 3)};
  next.counters.dropped = {{"spool", "full", 2, 4, 12}};
  next.drops = {drop_of('x', 2, 3)};
  take(next);
  EXPECT_THAT(row('x').missing, IsEmpty());
  ASSERT_EQ(row('x').dropped.size(), 1U);
  EXPECT_EQ(row('x').dropped[0].batches, 2U);
  EXPECT_THAT(row('y').dropped, IsEmpty());
}

TEST_F(LedgerTest, TailOfAKilledRunIsMissingOnceItsSpoolIsEmpty) {
  take(fresh('x', 1));
  take(fresh('x', 2));
  EXPECT_EQ(row('x').end, LedgerRow::End::kRunning);
  metrics::Batch next = fresh('y', 1);
  next.ended = {end_of('x', 5)};
  next.older = {{run_id('x'), 3}};
  take(next);
  EXPECT_EQ(row('x').end, LedgerRow::End::kUnclean);
  EXPECT_THAT(row('x').missing, IsEmpty());
  EXPECT_THAT(row('x').waiting, ElementsAre(Pair(3, 5)));
  next = fresh('y', 2);
  next.older = {{run_id('x'), 4}};
  take(next);
  EXPECT_THAT(row('x').missing, ElementsAre(Pair(3, 3)));
  take(fresh('x', 4));
  take(fresh('y', 3));  // no longer lists an older run
  EXPECT_THAT(row('x').missing, ElementsAre(Pair(3, 3), Pair(5, 5)));
}

TEST_F(LedgerTest, SpoolIsInheritedAcrossRunsAndClaimsCountOnlyAfterTheReportedEnd) {
  take(fresh('x', 1));
  metrics::Batch early = fresh('y', 1);  // created before the spool was read
  metrics::Batch next = fresh('y', 2);
  next.ended = {end_of('x', 2, true)};
  next.older = {{run_id('x'), 2}};
  take(next);
  take(early);
  EXPECT_EQ(row('x').end, LedgerRow::End::kStopped);
  EXPECT_THAT(row('x').missing, IsEmpty());
  // Another host with a copy of the agent's id knows nothing about the spool.
  take(fresh('c', 1));
  EXPECT_THAT(row('x').missing, IsEmpty());
  metrics::Batch third = fresh('z', 1);
  third.ended = {end_of('y', 2)};
  third.older = {{run_id('x'), 2}};
  take(third);
  EXPECT_THAT(row('x').missing, IsEmpty());
  take(fresh('z', 2));
  EXPECT_THAT(row('x').missing, ElementsAre(Pair(2, 2)));
}

TEST_F(LedgerTest, BatchesInAnotherLogAreElsewhereNotMissing) {
  metrics::Batch next = fresh('y', 4);
  next.ended = {end_of('x', 3, true)};
  next.elsewhere = {{run_id('x'), "sqlite:other", 1, 3}, {run_id('y'), "sqlite:other", 1, 2}};
  take(next);
  EXPECT_THAT(row('x').elsewhere, ElementsAre(Pair(1, 3)));
  EXPECT_THAT(row('x').other_logs, ElementsAre("sqlite:other"));
  EXPECT_THAT(row('x').missing, IsEmpty());
  EXPECT_THAT(row('y').elsewhere, ElementsAre(Pair(1, 2)));
  EXPECT_THAT(row('y').missing, ElementsAre(Pair(3, 3))) << "a loss is still a loss";
  EXPECT_THAT(to_json(row('y')), ::testing::HasSubstr(R"("elsewhere":[[1,2]],"other_logs":["sqlite:other"])"));
  const std::string table = to_table(rows());
  EXPECT_THAT(table, ::testing::HasSubstr("elsewhere  1-3\n    in the log sqlite:other\n"));
  EXPECT_THAT(table, ::testing::HasSubstr("1 batch is missing, 5 went to another log"));
}

TEST_F(LedgerTest, BatchesAcknowledgedByThisLogButNotInItAreMissing) {
  metrics::Batch next = fresh('x', 6);
  next.elsewhere = {{run_id('x'), "sqlite:this", 1, 2}, {run_id('x'), "sqlite:other", 3, 4}};
  take(next);
  EXPECT_THAT(row().missing, ElementsAre(Pair(1, 2), Pair(5, 5)));
  EXPECT_THAT(row().elsewhere, ElementsAre(Pair(3, 4)));
  log_.clear();
  EXPECT_THAT(row().missing, ElementsAre(Pair(1, 5))) << "if the log's identity is unknown, nothing is elsewhere";
}

TEST_F(LedgerTest, StoredAndDroppedTakePrecedenceOverElsewhere) {
  take(fresh('x', 1));
  metrics::Batch next = fresh('x', 5);
  next.drops = {drop_of('x', 2, 2)};
  next.elsewhere = {{run_id('x'), "sqlite:other", 1, 3}};
  take(next);
  EXPECT_THAT(row().elsewhere, ElementsAre(Pair(3, 3)));
  EXPECT_THAT(row().missing, ElementsAre(Pair(4, 4)));
  EXPECT_EQ(row().batches_stored, 2U);
}

TEST_F(LedgerTest, TruncatedListOfOlderRunsProvesNothing) {
  take(fresh('x', 1));
  metrics::Batch next = fresh('y', 1);
  next.ended = {end_of('x', 2)};
  for (int i = 0; i < 64; ++i) next.older.push_back({run_id(static_cast<char>(i)), 1});
  take(next);
  EXPECT_THAT(row('x').missing, IsEmpty());
}

TEST_F(LedgerTest, RunWithoutAnyRecordIsMissing) {
  metrics::Batch only = fresh('y', 1);
  only.ended = {end_of('w', 3)};
  take(only);
  EXPECT_THAT(row('w').missing, ElementsAre(Pair(1, 3)));
  EXPECT_EQ(row('w').host, "host");
}

TEST_F(LedgerTest, CountsLateTicksAndDetectsASilentRun) {
  metrics::Batch waited = fresh('x', 1);
  pass(11);
  take(waited);
  EXPECT_EQ(row().late_ticks, 2U);
  EXPECT_EQ(row().end, LedgerRow::End::kRunning);
  pass(31);
  EXPECT_EQ(row().end, LedgerRow::End::kUnknown);
  EXPECT_THAT(to_table(rows()), HasSubstr("unknown tail"));
}

// Draws the fate of each batch at random. The ledger must report exactly that, in whatever order records arrive.
TEST_F(LedgerTest, AgreesWithAModel) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    ledger_.fresh(0, {});
    std::set<uint64_t> missing;
    std::set<uint64_t> stored;
    std::vector<metrics::Batch> log;
    uint64_t dropped = 0;
    constexpr uint64_t kBatches = 60;
    for (uint64_t sequence = 1; sequence <= kBatches; ++sequence) {
      const uint64_t fate = random.below(10);
      if (fate == 0) missing.insert(sequence);
      if (fate == 1) {
        log.push_back(fresh('y', ++dropped));
        log.back().drops = {drop_of('x', sequence, sequence)};
      }
      if (fate <= 1) continue;
      log.push_back(fresh('x', sequence));
      stored.insert(sequence);
      if (fate == 2) log.push_back(log.back());
    }
    log.push_back(fresh('y', ++dropped));
    log.back().ended = {end_of('x', kBatches)};
    for (size_t i = log.size(); i > 1; --i) std::swap(log[i - 1], log[random.below(i)]);
    for (const metrics::Batch& batch : log) take(batch);
    take(fresh('y', dropped + 1));
    const LedgerRow x = row();
    std::set<uint64_t> found;
    for (const auto& [first, last] : x.missing) {
      for (uint64_t sequence = first; sequence <= last; ++sequence) found.insert(sequence);
    }
    EXPECT_EQ(found, missing) << "seed " << seed;
    EXPECT_EQ(x.batches_stored, stored.size());
    EXPECT_EQ(x.points_stored, 6 * stored.size());
  }
}

}  // namespace
}  // namespace monitor::analysis

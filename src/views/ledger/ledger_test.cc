#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <set>

#include "base/random.h"
#include "base/text.h"
#include "metrics/claims.h"
#include "views/ledger/ledger_table.h"
#include "views/ledger/report.h"
#include "views/ledger/testing/ledger_world.h"

namespace monitor::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

constexpr int64_t kStart = 1'700'000'000 * kNanosPerSecond;

TEST(DroppedRanges, CountEachSequenceOnce) {
  DroppedRanges dropped;
  EXPECT_EQ(dropped.add({5, 7, "spool", "full", 3, 30}).batches, 3U);
  EXPECT_EQ(dropped.add({5, 7, "spool", "full", 3, 30}).batches, 0U);
  EXPECT_EQ(dropped.add({6, 6, "spool", "too_old", 1, 10}).points, 0U)
      << "the batch is already known, with another reason";
  const auto grown = dropped.add({5, 9, "spool", "full", 5, 50});
  EXPECT_EQ(grown.batches, 2U);
  EXPECT_EQ(grown.points, 20U);
  EXPECT_EQ(dropped.add({9, 12, "spool", "full", 4, 40}).batches, 3U) << "overlapping";
  EXPECT_EQ(dropped.add({20, 21, "spool", "damaged", 2, 0}).batches, 2U);
  const auto totals = dropped.totals(IntervalSet());
  EXPECT_EQ(totals.at({"spool", "full"}).batches, 8U);
  EXPECT_EQ(totals.at({"spool", "full"}).points, 80U);
  EXPECT_EQ(totals.at({"spool", "damaged"}).batches, 2U);
}

TEST(DroppedRanges, StoredTakesPrecedenceAndInvalidRangesAddNothing) {
  DroppedRanges dropped;
  dropped.add({0, 7, "spool", "full", 8, 80});
  dropped.add({9, 8, "spool", "full", 1, 10});
  EXPECT_TRUE(dropped.ranges().empty());
  dropped.add({5, 8, "spool", "full", 4, 40});
  dropped.add({10, UINT64_MAX, "spool", "damaged", UINT64_MAX, UINT64_MAX});
  IntervalSet stored;
  stored.add(5, 6);
  EXPECT_EQ(dropped.totals(stored).at({"spool", "full"}).batches, 2U);
  EXPECT_EQ(dropped.totals(stored).at({"spool", "full"}).points, 20U);
  stored.add(1, 8);
  EXPECT_FALSE(dropped.totals(stored).contains({"spool", "full"}));
}

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() { ledger_.fresh(0, {}); }

  // The log stores it at `now_`.
  void take(const metrics::Batch& batch) {
    metriclog::Record record;
    record.time_ns = now_;
    record.offset = ++offset_;
    ledger_.apply(record, batch);
  }
  metrics::Batch fresh(char run, uint64_t sequence) const { return batch_of(run, sequence, now_); }
  void pass(int64_t seconds) { now_ += seconds * kNanosPerSecond; }

  std::vector<LedgerRow> rows(int64_t missing_after_ns = 0) {
    // A ledger restored from a snapshot must be judged like the one that was built.
    std::string bytes;
    ledger_.encode(0, bytes);
    Ledger other;
    EXPECT_TRUE(other.decode(0, 1, bytes).ok());
    std::string again;
    other.encode(0, again);
    EXPECT_EQ(bytes, again);
    return report(other, {"", now_, missing_after_ns, log_});
  }
  LedgerRow row(char run = 'x', int64_t missing_after_ns = 0) {
    for (LedgerRow& one : rows(missing_after_ns)) {
      if (one.incarnation == run_id(run)) return one;
    }
    return {};
  }
  static metrics::IncarnationEnd end_of(char run, uint64_t last, bool clean = false) {
    return {run_id(run), last, kStart, clean};
  }

  Ledger ledger_;
  int64_t now_ = kStart;
  int64_t offset_ = 0;
  std::string log_ = "sqlite:this";
};

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
  EXPECT_THAT(table, ::testing::HasSubstr("1 batches are missing, 5 went to another log"));
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

TEST_F(LedgerTest, SequencesBelowRetentionAreExpiredNotMissing) {
  ledger_.fresh(0, {.begin = 10, .next = 10, .end = 20, .cut = true});
  take(fresh('x', 4));
  take(fresh('x', 6));
  EXPECT_THAT(row().expired, ElementsAre(Pair(1, 3)));
  EXPECT_THAT(row().missing, ElementsAre(Pair(5, 5)));
}

TEST_F(LedgerTest, FreshBatchesBeforeAReplayMayHaveExpiredWithIt) {
  ledger_.fresh(0, {.begin = 10, .next = 10, .end = 20, .cut = true});
  metrics::Batch waited = fresh('x', 3);
  pass(1000);
  take(waited);
  metrics::Batch live = fresh('x', 9);
  live.first_unacked = 4;
  take(live);
  take(fresh('x', 11));
  EXPECT_THAT(row().expired, ElementsAre(Pair(1, 2), Pair(4, 8)));
  EXPECT_THAT(row().missing, ElementsAre(Pair(10, 10)));
}

TEST_F(LedgerTest, RecordsLostWhileReadingAreExpired) {
  take(fresh('x', 1));
  ledger_.on_lost(0, 2, 5);
  EXPECT_THAT(row().expired, IsEmpty()) << "nothing shows that there was more";
  take(fresh('x', 5));
  take(fresh('x', 7));
  EXPECT_THAT(row().expired, ElementsAre(Pair(2, 4)));
  EXPECT_THAT(row().missing, ElementsAre(Pair(6, 6)));
  metrics::Batch other = fresh('y', 1);
  other.ended = {end_of('w', 3)};
  take(other);
  EXPECT_THAT(row('w').expired, ElementsAre(Pair(1, 3))) << "these batches of the run were in the log";
}

TEST_F(LedgerTest, BatchesMissingBeforeALossStayMissing) {
  for (const uint64_t sequence : {1, 2, 4, 5}) take(fresh('x', sequence));
  EXPECT_THAT(row().missing, ElementsAre(Pair(3, 3)));
  ledger_.on_lost(0, 6, 10);
  take(fresh('x', 10));
  take(fresh('x', 11));
  EXPECT_THAT(row().missing, ElementsAre(Pair(3, 3))) << "a batch below a claim is not sent again";
  EXPECT_THAT(row().expired, ElementsAre(Pair(6, 9)));
  ledger_.on_lost(0, 12, 13);
  EXPECT_THAT(row().missing, ElementsAre(Pair(3, 3)));
}

TEST_F(LedgerTest, UnreadPartsAreNotJudged) {
  ledger_.fresh(0, {.begin = 1, .next = 10, .end = 20, .cut = false});
  take(fresh('x', 4));
  take(fresh('x', 6));
  EXPECT_EQ(row().first_sequence, 4U);
  EXPECT_THAT(row().expired, IsEmpty());
  EXPECT_THAT(row().missing, ElementsAre(Pair(5, 5)));
  metrics::Batch other = fresh('y', 1);
  other.ended = {end_of('w', 3)};
  take(other);
  EXPECT_EQ(row('w').agent, "") << "nothing about the run is in this span";
}

TEST_F(LedgerTest, RunWithoutAnyRecordIsMissing) {
  metrics::Batch only = fresh('y', 1);
  only.ended = {end_of('w', 3)};
  take(only);
  EXPECT_THAT(row('w').missing, ElementsAre(Pair(1, 3)));
  EXPECT_EQ(row('w').host, "host");
}

TEST_F(LedgerTest, SimultaneousRunsOfOneIdAreAConflict) {
  for (uint64_t sequence = 1; sequence <= 2; ++sequence) {
    take(fresh('x', sequence));
    pass(1);
    take(fresh('y', sequence));
    pass(1);
  }
  EXPECT_TRUE(row('x').conflict);
  EXPECT_TRUE(row('y').conflict);
  metrics::Batch successor = fresh('z', 1);
  successor.ended = {end_of('y', 2)};
  take(successor);
  EXPECT_FALSE(row('z').conflict);
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

TEST_F(LedgerTest, OmitsRecordsAfterTheSpan) {
  Ledger bounded(kStart + 1);
  bounded.fresh(0, {});
  metriclog::Record record;
  record.time_ns = kStart;
  bounded.apply(record, fresh('x', 1));
  record.time_ns = kStart + 1;
  bounded.apply(record, fresh('x', 2));
  const auto all = report(bounded, {"", kStart, 0});
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].last_sequence, 1U);
}

TEST_F(LedgerTest, ForgetsOldAccounts) {
  take(fresh('x', 1));
  pass(int64_t{9} * 24 * 3600);
  for (uint64_t i = 1; i <= 8; ++i) {
    take(fresh('y', i));
    pass(600);
  }
  EXPECT_EQ(rows().size(), 1U);
}

TEST_F(LedgerTest, WrongClockOfTheLogForgetsNothing) {
  take(fresh('x', 1));
  pass(int64_t{30} * 24 * 3600);
  take(fresh('y', 1));
  pass(60);
  take(fresh('y', 2));
  EXPECT_EQ(rows().size(), 2U);
}

TEST_F(LedgerTest, JsonHasAllFieldsInOrder) {
  take(fresh('x', 1));
  take(fresh('x', 4));
  metrics::Batch tells = fresh('x', 6);
  tells.drops = {drop_of('x', 2, 2)};
  take(tells);
  EXPECT_EQ(
      to_json(row()),
      R"({"agent":"a","incarnation":"78787878787878787878787878787878","host":"host","first_sequence":1,)"
      R"("last_sequence":6,"batches_stored":3,"duplicates":0,"dropped":[{"stage":"spool","reason":"full",)"
      R"("batches":1,"points":6}],"missing":[[3,3],[5,5]],"elsewhere":[],"other_logs":[],"expired":[],"ticks_due":12,"ticks_missed":0,)"
      R"("points_made":36,"points_stored":18,"clean":null,"end":"running","unknown_tail":false,"waiting":[],)"
      R"("ticks_stored":6,"late":0,"conflict":false,"conflicts":0,"conflict_examples":[],"outlived_end":false,)"
      R"("first_time":"2023-11-14T22:13:19.999999998Z",)"
      R"("last_time":"2023-11-14T22:13:19.999999999Z"})");
  EXPECT_TRUE(nlohmann::json::accept(to_json(row())));
}

TEST_F(LedgerTest, TableIsAtMostAHundredColumnsWide) {
  take(fresh('x', 1));
  for (uint64_t sequence = 2; sequence < 400; sequence += 2) take(fresh('x', 1'000'000 + sequence));
  metrics::Batch next = fresh('y', 1);
  next.ended = {end_of('x', 1'000'398)};
  take(next);
  const std::string table = to_table(rows());
  EXPECT_THAT(table, HasSubstr("unclean"));
  for (const std::string_view line : split(table, '\n')) EXPECT_LE(line.size(), 100U) << line;
  EXPECT_THAT(table, HasSubstr("missing    2-1000001, 1000003"));
  EXPECT_THAT(table, HasSubstr(" more"));
  EXPECT_THAT(table, Not(HasSubstr("nothing is missing")));
}

TEST_F(LedgerTest, RejectsDamagedSnapshots) {
  take(fresh('x', 1));
  std::string bytes;
  ledger_.encode(0, bytes);
  Ledger other;
  EXPECT_FALSE(other.decode(0, 1, bytes.substr(0, bytes.size() - 1)).ok());
  EXPECT_TRUE(other.decode(0, 1, "").ok());
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

TEST_F(LedgerTest, ReportsAConflictWithBothOffsets) {
  take(fresh('x', 1));
  metriclog::Record record;
  record.offset = 77;
  record.time_ns = now_;
  ledger_.apply_conflict(record, fresh('x', 1), 1);
  LedgerRow x = row();
  EXPECT_EQ(x.batches_stored, 1U);
  EXPECT_EQ(x.duplicates, 0U);
  EXPECT_EQ(x.conflicts, 1U);
  EXPECT_TRUE(contradicted(x));
  const auto json = nlohmann::json::parse(to_json(x));
  EXPECT_EQ(json["conflicts"], 1);
  const auto& example = json["conflict_examples"][0];
  EXPECT_EQ(example["sequence"], 1);
  EXPECT_EQ(example["kind"], "content");
  EXPECT_EQ(example["first_offset"], 1);
  EXPECT_EQ(example["offset"], 77);
  EXPECT_EQ(example["partition"], 0);
  const std::string table = to_table(rows());
  EXPECT_THAT(table, HasSubstr("conflict   batch 1 at offset 77 of partition 0: differs from offset 1"));
  EXPECT_THAT(table, HasSubstr("nothing is missing, 1 conflict with what is counted"));
  for (int i = 0; i < 100; ++i) ledger_.apply_conflict(record, fresh('x', 1), 1);
  x = row();
  EXPECT_EQ(x.conflicts, 101U);
  EXPECT_EQ(x.conflict_examples.size(), Account::kMostExamples);
  for (const std::string_view line : split(to_table(rows()), '\n')) EXPECT_LE(line.size(), 100U) << line;
}

// Old logs may contain such batches, which servers now reject.
TEST_F(LedgerTest, ReportsImplausibleClaimsWithoutCountingThem) {
  for (uint64_t sequence = 1; sequence <= 3; ++sequence) take(fresh('x', sequence));
  const std::vector<std::function<void(metrics::Batch&)>> forgeries = {
      [](metrics::Batch& b) { b.sequence = UINT64_MAX; },
      [](metrics::Batch& b) { b.sequence = b.first_unacked = uint64_t{1} << 60; },
      [](metrics::Batch& b) { b.first_unacked = 5; },
      [](metrics::Batch& b) { b.counters.points_made = uint64_t{1} << 63; },
      [](metrics::Batch& b) { b.counters.dropped = {{"spool", "full", uint64_t{1} << 63, 0, 0}}; },
      [](metrics::Batch& b) { b.drops = {drop_of('x', 1, UINT64_MAX)}; },
      [](metrics::Batch& b) { b.drops = {drop_of('x', 9, 4)}; },
      [](metrics::Batch& b) { b.ended = {end_of('x', 3)}; },
      [](metrics::Batch& b) { b.ended = {end_of('y', UINT64_MAX)}; },
      [](metrics::Batch& b) { b.older = {{run_id('y'), UINT64_MAX}}; },
  };
  for (const auto& forge : forgeries) {
    metrics::Batch batch = fresh('x', 4);
    forge(batch);
    take(batch);
  }
  const LedgerRow x = row();
  EXPECT_EQ(x.conflicts, forgeries.size());
  EXPECT_STREQ(conflict_kind(x.conflict_examples[0]), "implausible");
  EXPECT_EQ(x.batches_stored, 3U);
  EXPECT_EQ(x.last_sequence, 3U);
  EXPECT_EQ(x.points_made, 18U);
  EXPECT_THAT(x.missing, IsEmpty());
  EXPECT_THAT(x.waiting, IsEmpty());
  EXPECT_THAT(x.dropped, IsEmpty());
  EXPECT_EQ(rows().size(), 1U) << "runs that only they name must not appear";
  for (const std::string_view line : split(to_table(rows()), '\n')) EXPECT_LE(line.size(), 160U) << line;
}

TEST_F(LedgerTest, SumsSaturateInsteadOfWrapping) {
  for (char run = 'a'; run <= 'z'; ++run) {
    take(fresh(run, 1));
    metrics::Batch far = fresh(run, metrics::kMaxSequence);
    far.counters = {metrics::kMaxCount, 0, metrics::kMaxPoints, {}};
    far.counters.dropped = {{"plugin", "filtered", metrics::kMaxCount, 0, metrics::kMaxPoints, "p"}};
    take(far);
  }
  uint64_t missing = 0;
  for (const LedgerRow& one : rows()) missing += count(one.missing);
  EXPECT_EQ(missing, 26 * (metrics::kMaxSequence - 2));
  EXPECT_THAT(to_table(rows()), HasSubstr(std::to_string(missing) + " batches are missing"));
  LedgerRow row;
  row.missing = {{1, uint64_t{1} << 63}, {(uint64_t{1} << 63) + 5, UINT64_MAX}};
  row.dropped = {{"a", "b", uint64_t{1} << 63, 0, 0}, {"a", "c", uint64_t{1} << 63, 0, 0}};
  EXPECT_EQ(dropped_batches(row), UINT64_MAX);
  EXPECT_THAT(to_table({row, row}), HasSubstr(std::to_string(UINT64_MAX) + " batches are missing"));
}

TEST_F(LedgerTest, RunThatContinuesAfterItsReportedCleanEndIsAContradiction) {
  take(fresh('x', 1));
  metrics::Batch next = fresh('y', 1);
  next.ended = {end_of('x', 1, true)};
  take(next);
  EXPECT_FALSE(row().outlived_end);
  take(fresh('x', 2));
  EXPECT_TRUE(row().outlived_end);
  EXPECT_TRUE(contradicted(row()));
  EXPECT_THAT(to_table(rows()), HasSubstr("1 continued after the reported end"));
  next = fresh('y', 2);
  next.ended = {end_of('x', 1, false)};
  take(next);
  EXPECT_FALSE(row().outlived_end) << "after an unclean end, later batches are possible";
}

TEST_F(LedgerTest, FinalBatchMakesTheRunStopped) {
  take(fresh('x', 1));
  pass(31);
  EXPECT_EQ(row().end, LedgerRow::End::kUnknown);
  EXPECT_TRUE(has_unknown_tail(row()));
  EXPECT_THAT(to_table(rows()), HasSubstr("unknown tail"));
  metrics::Batch last = fresh('x', 2);
  last.final_batch = true;
  take(last);
  pass(31);
  EXPECT_EQ(row().end, LedgerRow::End::kStopped);
  EXPECT_THAT(to_json(row()), HasSubstr(R"("clean":true,"end":"stopped","unknown_tail":false)"));
  EXPECT_THAT(to_table(rows()), Not(HasSubstr("unknown tail")));
  // Killed before its spool had stored the end; yet nothing is unknown.
  metrics::Batch next = fresh('y', 1);
  next.ended = {end_of('x', 2, false)};
  take(next);
  EXPECT_EQ(row('x').end, LedgerRow::End::kStopped);
}

TEST_F(LedgerTest, OmitsForgottenRunsUntilTheyAreHeardAgain) {
  take(fresh('x', 1));
  ReportOptions options{.now_ns = now_};
  options.forgotten = {{"a", now_}};
  EXPECT_THAT(report(ledger_, options), IsEmpty());
  pass(1);
  metrics::Batch next = fresh('y', 1);
  next.ended = {end_of('x', 1, true)};
  take(next);
  EXPECT_EQ(report(ledger_, options).size(), 2U);
}

TEST_F(LedgerTest, RunThatContinuesAfterItsFinalBatchIsAContradiction) {
  metrics::Batch last = fresh('x', 1);
  last.final_batch = true;
  take(last);
  EXPECT_FALSE(row().outlived_end);
  take(fresh('x', 2));
  EXPECT_TRUE(row().outlived_end);
}

}  // namespace
// A snapshot may come from anybody: no batch has the sequence 0, and none below 1 is missing.
TEST_F(LedgerTest, SnapshotWithoutAClaimRoundTrips) {
  const std::string account(
      "\x0a\x01"
      "a"
      "\x12\x01"
      "i"
      "\xb0\x01\x00",
      9);  // agent, incarnation, claimed
  Ledger ledger;
  ASSERT_TRUE(ledger.decode(0, 1, "\x1a\x09" + account).ok());
  std::string once;
  ledger.encode(0, once);
  Ledger again;
  ASSERT_TRUE(again.decode(0, 1, once).ok());
  std::string twice;
  again.encode(0, twice);
  EXPECT_EQ(once, twice);
}

}  // namespace monitor::analysis

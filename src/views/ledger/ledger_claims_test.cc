// The ledger: claims that contradict one another or cannot be true.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <vector>

#include "base/text.h"
#include "metrics/claims.h"
#include "views/ledger/ledger_table.h"
#include "views/ledger/report.h"
#include "views/ledger/testing/ledger_fixture.h"

namespace monitor::analysis {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

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

TEST_F(LedgerTest, RunThatContinuesAfterItsFinalBatchIsAContradiction) {
  metrics::Batch last = fresh('x', 1);
  last.final_batch = true;
  take(last);
  EXPECT_FALSE(row().outlived_end);
  take(fresh('x', 2));
  EXPECT_TRUE(row().outlived_end);
}

}  // namespace
}  // namespace monitor::analysis

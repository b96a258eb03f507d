// The ledger: what a report leaves out, its forms, and snapshots.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

#include "base/text.h"
#include "views/ledger/ledger_table.h"
#include "views/ledger/report.h"
#include "views/ledger/testing/ledger_fixture.h"

namespace monitor::analysis {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

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
      R"("batches":1,"points":6,"ticks":0,"first_time":null,"last_time":null}],"missing":[[3,3],[5,5]],"elsewhere":[],"other_logs":[],"expired":[],"ticks_due":12,"ticks_missed":0,)"
      R"("points_made":36,"points_stored":18,"clean":null,"end":"running","unknown_tail":false,"waiting":[],)"
      R"("ticks_stored":6,"late":0,"conflict":false,"conflicts":0,"conflict_examples":[],"outlived_end":false,)"
      R"("first_time":"2023-11-14T22:13:19.999999998Z",)"
      R"("last_time":"2023-11-14T22:13:19.999999999Z","unread":[],)"
      R"("sums":{"made":{"batches":6,"points":36},"stored":{"batches":3,"points":18},)"
      R"("dropped":{"batches":1,"points":6},"waiting":{"batches":0,"points":0},"missing":{"batches":2,"points":12},)"
      R"("elsewhere":{"batches":0,"points":0},"expired":{"batches":0,"points":0},"unread":{"batches":0,"points":0},)"
      R"("estimated":false}})");
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

}  // namespace
}  // namespace monitor::analysis

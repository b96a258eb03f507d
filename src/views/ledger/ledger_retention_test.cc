// The ledger: records that retention deleted before they were read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "views/ledger/report.h"
#include "views/ledger/testing/ledger_fixture.h"

namespace monitor::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

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

}  // namespace
}  // namespace monitor::analysis

#include "views/ledger/dropped_ranges.h"

#include <gtest/gtest.h>

namespace monitor::analysis {
namespace {

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

}  // namespace
}  // namespace monitor::analysis

#include "views/ledger/dropped_ranges.h"

#include <gtest/gtest.h>

namespace monitor::analysis {
namespace {

// A drop of the spool.
metrics::Drop range(uint64_t first, uint64_t last, const char* reason, uint64_t batches, uint64_t points) {
  return {.stage = "spool",
          .reason = reason,
          .batches = batches,
          .points = points,
          .first_sequence = first,
          .last_sequence = last};
}

TEST(DroppedRanges, CountEachSequenceOnce) {
  DroppedRanges dropped;
  EXPECT_EQ(dropped.add(range(5, 7, "full", 3, 30)).batches, 3U);
  EXPECT_EQ(dropped.add(range(5, 7, "full", 3, 30)).batches, 0U);
  EXPECT_EQ(dropped.add(range(6, 6, "too_old", 1, 10)).points, 0U) << "the batch is already known, with another reason";
  const auto grown = dropped.add(range(5, 9, "full", 5, 50));
  EXPECT_EQ(grown.batches, 2U);
  EXPECT_EQ(grown.points, 20U);
  EXPECT_EQ(dropped.add(range(9, 12, "full", 4, 40)).batches, 3U) << "overlapping";
  EXPECT_EQ(dropped.add(range(20, 21, "damaged", 2, 0)).batches, 2U);
  const auto totals = dropped.totals(IntervalSet());
  EXPECT_EQ(totals.at({"spool", "full"}).batches, 8U);
  EXPECT_EQ(totals.at({"spool", "full"}).points, 80U);
  EXPECT_EQ(totals.at({"spool", "damaged"}).batches, 2U);
}

TEST(DroppedRanges, StoredTakesPrecedenceAndInvalidRangesAddNothing) {
  DroppedRanges dropped;
  dropped.add(range(0, 7, "full", 8, 80));
  dropped.add(range(9, 8, "full", 1, 10));
  EXPECT_TRUE(dropped.ranges().empty());
  dropped.add(range(5, 8, "full", 4, 40));
  dropped.add(range(10, UINT64_MAX, "damaged", UINT64_MAX, UINT64_MAX));
  IntervalSet stored;
  stored.add(5, 6);
  EXPECT_EQ(dropped.totals(stored).at({"spool", "full"}).batches, 2U);
  EXPECT_EQ(dropped.totals(stored).at({"spool", "full"}).points, 20U);
  stored.add(1, 8);
  EXPECT_FALSE(dropped.totals(stored).contains({"spool", "full"}));
}

}  // namespace
}  // namespace monitor::analysis

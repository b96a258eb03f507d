#include "base/saturating.h"

#include <gtest/gtest.h>

namespace monitor {
namespace {

TEST(Saturating, StopsAtTheLargestValue) {
  EXPECT_EQ(saturating_add(UINT64_MAX, 1), UINT64_MAX);
  EXPECT_EQ(saturating_add(uint64_t{1} << 63, uint64_t{1} << 63), UINT64_MAX);
  EXPECT_EQ(saturating_add(UINT64_MAX - 1, 1), UINT64_MAX);
  EXPECT_EQ(saturating_add(2, 3), 5U);
}

TEST(Saturating, CountsRangesOfAllWidths) {
  EXPECT_EQ(range_size(0, UINT64_MAX), UINT64_MAX);
  EXPECT_EQ(range_size(1, UINT64_MAX), UINT64_MAX);
  EXPECT_EQ(range_size(7, 7), 1U);
  EXPECT_EQ(range_size(8, 7), 0U);
}

}  // namespace
}  // namespace monitor

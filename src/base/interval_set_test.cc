#include "base/interval_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

#include "base/random.h"

namespace monitor {
namespace {

using ::testing::ElementsAre;

TEST(IntervalSet, MergesAdjacentMembers) {
  IntervalSet set;
  EXPECT_TRUE(set.add(5));
  EXPECT_FALSE(set.add(5));
  EXPECT_TRUE(set.add(7));
  EXPECT_EQ(set.intervals().size(), 2U);
  EXPECT_TRUE(set.add(6));
  EXPECT_THAT(set.intervals(), ElementsAre(std::pair<const uint64_t, uint64_t>(5, 7)));
  EXPECT_TRUE(set.add(0));
  EXPECT_TRUE(set.add(UINT64_MAX));
  EXPECT_TRUE(set.contains(0));
  EXPECT_TRUE(set.contains(UINT64_MAX));
  EXPECT_FALSE(set.contains(4));
  EXPECT_FALSE(set.contains(8));
  EXPECT_TRUE(set.add(1, 100));
  EXPECT_EQ(set.intervals().size(), 2U);
}

TEST(IntervalSet, AgreesWithStdSet) {
  SeededRandom random(7);
  IntervalSet set;
  std::set<uint64_t> model;
  for (int i = 0; i < 5000; ++i) {
    const uint64_t value = random.below(300);
    if (random.below(3) == 0) {
      EXPECT_EQ(set.remove(value), model.erase(value) == 1);
    } else {
      EXPECT_EQ(set.add(value), model.insert(value).second);
    }
    EXPECT_EQ(set.count(), model.size());
  }
  for (uint64_t value = 0; value < 301; ++value) EXPECT_EQ(set.contains(value), model.contains(value)) << value;
}

TEST(IntervalSet, ListsGaps) {
  using Gaps = std::vector<std::pair<uint64_t, uint64_t>>;
  IntervalSet set;
  EXPECT_EQ(set.gaps(1, UINT64_MAX), (Gaps{{1, UINT64_MAX}}));
  EXPECT_EQ(set.gaps(2, 1), Gaps());
  set.add(3, 5);
  set.add(8);
  EXPECT_EQ(set.gaps(1, 10), (Gaps{{1, 2}, {6, 7}, {9, 10}}));
  EXPECT_EQ(set.gaps(3, 5), Gaps());
  EXPECT_EQ(set.gaps(4, 8), (Gaps{{6, 7}}));
  EXPECT_EQ(set.gaps(5, 6), (Gaps{{6, 6}}));
  EXPECT_EQ(set.gaps(9, 9), (Gaps{{9, 9}}));
  set.add(10, UINT64_MAX);
  EXPECT_EQ(set.gaps(8, UINT64_MAX), (Gaps{{9, 9}}));
}

}  // namespace
}  // namespace monitor

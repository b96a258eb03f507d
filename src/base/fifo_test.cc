#include "base/fifo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>

namespace monitor {
namespace {

TEST(FifoTest, KeepsOrderLikeADeque) {
  Fifo<std::string> fifo;
  std::deque<std::string> expected;
  uint64_t state = 1;
  for (int step = 0; step < 100'000; ++step) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const uint64_t draw = state >> 60;
    if (draw < 8 || expected.empty()) {
      fifo.push_back(std::to_string(step));
      expected.push_back(std::to_string(step));
    } else if (draw < 14) {
      fifo.pop_front();
      expected.pop_front();
    } else if (draw < 15) {
      fifo.pop_back();
      expected.pop_back();
    } else {
      const size_t left = expected.size() - expected.size() / 4;
      fifo.truncate(left);
      expected.resize(left);
    }
    ASSERT_EQ(fifo.size(), expected.size());
    ASSERT_EQ(fifo.empty(), expected.empty());
    if (expected.empty()) continue;
    ASSERT_EQ(fifo.front(), expected.front());
    ASSERT_EQ(fifo.back(), expected.back());
    ASSERT_EQ(fifo[expected.size() / 2], expected[expected.size() / 2]);
  }
  EXPECT_TRUE(std::equal(fifo.begin(), fifo.end(), expected.begin(), expected.end()));
}

TEST(FifoTest, ReleasesRemovedElements) {
  Fifo<std::shared_ptr<int>> fifo;
  const auto first = std::make_shared<int>(1);
  fifo.push_back(first);
  fifo.push_back(std::make_shared<int>(2));
  fifo.pop_front();
  EXPECT_EQ(first.use_count(), 1);
  EXPECT_EQ(*fifo.front(), 2);
}

TEST(FifoTest, ReferencesToOthersSurviveAPop) {
  Fifo<int> fifo;
  for (int i = 0; i < 100; ++i) fifo.push_back(i);
  const int& last = fifo.back();
  for (int i = 0; i < 99; ++i) fifo.pop_front();
  EXPECT_EQ(&last, &fifo.front());
  EXPECT_EQ(last, 99);
}

}  // namespace
}  // namespace monitor

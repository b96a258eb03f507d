#include "server/message_memory.h"

#include <gtest/gtest.h>

#include <vector>

namespace monitor::server {
namespace {

constexpr size_t kLimit = size_t{8} << 20;  // an eighth of it is one MiB
constexpr size_t kKib = 1024;

TEST(MessageMemory, CountsInTheBudgetOfBatches) {
  MemoryBudget memory(kLimit);
  MessageMemory messages(memory);
  ASSERT_TRUE(messages.take(100 * kKib, 0));
  EXPECT_EQ(memory.used(), 100 * kKib);
  messages.give_back(100 * kKib, 0);
  EXPECT_EQ(memory.used(), 0U);
}

TEST(MessageMemory, RefusesMoreThanAShareWhenItIsFull) {
  MemoryBudget memory(kLimit);
  MessageMemory messages(memory);
  ASSERT_TRUE(messages.take(1000 * kKib, 0));
  EXPECT_FALSE(messages.take(100 * kKib, 1000 * kKib)) << "a connection that holds nearly everything";
  EXPECT_TRUE(messages.take(100 * kKib, 0)) << "another connection may have its share, which is half";
  EXPECT_FALSE(messages.take(500 * kKib, 100 * kKib)) << "but no more than its share";
  EXPECT_EQ(memory.used(), 1100 * kKib);
}

TEST(MessageMemory, NeverHoldsMoreThanTwiceItsLimit) {
  MemoryBudget memory(kLimit);
  MessageMemory messages(memory);
  std::vector<size_t> held(200);
  for (int round = 0; round < 200; ++round) {
    for (size_t& one : held) {
      if (messages.take(16 * kKib, one)) one += 16 * kKib;
    }
  }
  EXPECT_LE(messages.used(), 2 * messages.limit());
}

// Each connection in turn takes as much as it can, so that later connections still find a large share.
TEST(MessageMemory, NeverHoldsMoreThanTwiceItsLimitWhenConnectionsComeOneAfterTheOther) {
  MemoryBudget memory(kLimit);
  MessageMemory messages(memory);
  for (int i = 0; i < 1000; ++i) {
    size_t held = 0;
    while (messages.take(kKib, held)) held += kKib;
  }
  EXPECT_LE(messages.used(), 2 * messages.limit());
  EXPECT_GT(messages.used(), messages.limit());
}

}  // namespace
}  // namespace monitor::server

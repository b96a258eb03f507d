#include "ui/web/shared_bytes.h"

#include <gtest/gtest.h>

namespace monitor::analysis::web {
namespace {

TEST(SharedBytes, BoundsTheTotal) {
  SharedBytes bytes(1000);
  EXPECT_TRUE(bytes.take("a", 1000));
  EXPECT_FALSE(bytes.take("a", 1));
  EXPECT_TRUE(bytes.take("a", 0));
  bytes.give_back("a", 400);
  EXPECT_TRUE(bytes.take("b", 400));
  EXPECT_EQ(bytes.bytes(), 1000U);
  bytes.give_back("a", 600);
  bytes.give_back("b", 400);
  bytes.give_back("nobody", 5);
  EXPECT_EQ(bytes.bytes(), 0U);
}

TEST(SharedBytes, LeavesAFairShareToOtherAddresses) {
  SharedBytes bytes(1000);
  EXPECT_TRUE(bytes.take("a", 1000));
  EXPECT_FALSE(bytes.take("a", 1));
  EXPECT_TRUE(bytes.take("b", 100));
  EXPECT_FALSE(bytes.take("b", 100))
      << "above the limit, an address gets an eighth of the space left below twice the limit";
  EXPECT_TRUE(bytes.take("c", 50));
  for (int i = 0; i < 1000; ++i) {
    while (bytes.take(std::to_string(i), 1)) continue;
  }
  EXPECT_LE(bytes.bytes(), 2000U);
}

}  // namespace
}  // namespace monitor::analysis::web

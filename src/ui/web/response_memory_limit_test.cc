#include "ui/web/response_memory_limit.h"

#include <gtest/gtest.h>

namespace monitor::analysis::web {
namespace {

constexpr size_t kLarge = 100'000;

TEST(ResponseMemoryLimit, CountsASharedBodyOnce) {
  ResponseMemoryLimit held(kLarge);
  const std::string body(kLarge, 'x');
  EXPECT_TRUE(held.add(body));
  EXPECT_TRUE(held.add(body));
  EXPECT_EQ(held.bytes(), kLarge);
  held.remove(body);
  EXPECT_EQ(held.bytes(), kLarge) << "one client still holds it";
  held.remove(body);
  EXPECT_EQ(held.bytes(), 0U);
}

TEST(ResponseMemoryLimit, RejectsLargeBodiesBeyondTheLimit) {
  ResponseMemoryLimit held(kLarge);
  const std::string first(kLarge + 1, 'x');
  const std::string second(kLarge, 'y');
  const std::string small(1000, 'z');
  EXPECT_TRUE(held.add(first)) << "a single body is always accepted";
  EXPECT_FALSE(held.add(second));
  EXPECT_TRUE(held.add(small));
  held.remove(first);
  held.remove(small);
  EXPECT_TRUE(held.add(second));
}

}  // namespace
}  // namespace monitor::analysis::web

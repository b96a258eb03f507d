#include "base/size_format.h"

#include <gtest/gtest.h>

namespace monitor {
namespace {

TEST(Size, ParsesSizesWithUnits) {
  EXPECT_EQ(parse_size("1048576").value(), 1048576U);
  EXPECT_EQ(parse_size("1GiB").value(), uint64_t{1} << 30);
  EXPECT_EQ(parse_size("64 MiB").value(), uint64_t{64} << 20);
  EXPECT_EQ(parse_size("5kB").value(), 5000U);
  for (const char* wrong : {"", "GiB", "-1", "1.5GiB", "1gib", "99999999999TiB", "1 GiB x"}) {
    EXPECT_FALSE(parse_size(wrong)) << wrong;
  }
}

TEST(Size, PrintsSizesWithUnits) {
  EXPECT_EQ(format_size(12), "12 B");
  EXPECT_EQ(format_size(uint64_t{1} << 30), "1.0 GiB");
  EXPECT_EQ(format_size(1536), "1.5 KiB");
}

}  // namespace
}  // namespace monitor

// A struct that has grown, used by sides that know fewer or more of its fields.
#include "plugins/host/sized.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace monitor::plugin_host {
namespace {

// The struct as known to a plugin built for the first version, and to one built for a version after the host's.
struct Old {
  uint32_t size;
  uint32_t first;
};
struct Known {
  uint32_t size;
  uint32_t first;
  uint64_t second;
};
struct Newer {
  uint32_t size;
  uint32_t first;
  uint64_t second;
  uint64_t third;
};

TEST(Sized, ReadsAndFillsAnOlderStructUpToItsSize) {
  struct {
    Old old;
    uint64_t behind;
  } there = {{sizeof(Old), 1}, 77};
  const auto read = read_sized(reinterpret_cast<const Known*>(&there.old), sizeof(Old));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->first, 1U);
  EXPECT_EQ(read->second, 0U) << "a field that it lacks reads as zero";
  EXPECT_TRUE(write_sized(reinterpret_cast<Known*>(&there.old), sizeof(Old), Known{sizeof(Known), 5, 6}));
  EXPECT_EQ(there.old.size, sizeof(Old));
  EXPECT_EQ(there.old.first, 5U);
  EXPECT_EQ(there.behind, 77U) << "nothing is written beyond its end";
}

TEST(Sized, IgnoresTheTailOfANewerStruct) {
  Newer there = {sizeof(Newer), 1, 2, 3};
  const auto read = read_sized(reinterpret_cast<const Known*>(&there), sizeof(Old));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->second, 2U);
  EXPECT_TRUE(write_sized(reinterpret_cast<Known*>(&there), sizeof(Old), Known{sizeof(Known), 5, 6}));
  EXPECT_EQ(there.size, sizeof(Newer));
  EXPECT_EQ(there.second, 6U);
  EXPECT_EQ(there.third, 3U);
}

TEST(Sized, RejectsAStructSmallerThanTheFirstVersion) {
  Known there = {sizeof(Old) - 1, 1, 2};
  EXPECT_FALSE(read_sized(&there, sizeof(Old)));
  EXPECT_FALSE(write_sized(&there, sizeof(Old), Known{}));
  EXPECT_EQ(there.first, 1U);
  EXPECT_FALSE(read_sized<Known>(nullptr, sizeof(Old)));
}

}  // namespace
}  // namespace monitor::plugin_host

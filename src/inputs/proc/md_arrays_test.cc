#include "inputs/proc/md_arrays.h"

#include <gtest/gtest.h>

#include <string>

namespace monitor::agent {
namespace {

TEST(MdArrays, ReadsDisksAndTheJob) {
  const std::string text =
      "Personalities : [raid1] [raid0]\n"
      "md6 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]\n"
      "      195310144 blocks [2/1] [U_]\n"
      "      [=>...................]  recovery =  8.5% (16775552/195310144) finish=17.0min speed=259783K/sec\n"
      "\n"
      "md3 : active (read-only) raid0 sda[0] sdb[1] sdc[2](J)\n"
      "      314159265 blocks 64k chunks\n"
      "\n"
      "unused devices: <none>\n";
  const auto arrays = parse_mdstat(text);
  ASSERT_EQ(arrays.size(), 2U);
  EXPECT_EQ(arrays[0].name, "md6");
  EXPECT_TRUE(arrays[0].active);
  EXPECT_EQ(arrays[0].failed, 1U);
  EXPECT_EQ(arrays[0].spare, 1U);
  EXPECT_EQ(arrays[0].required, 2U);
  EXPECT_EQ(arrays[0].in_sync, 1U);
  EXPECT_EQ(arrays[0].action, "recovery");
  EXPECT_EQ(arrays[0].done, 16775552U);
  EXPECT_EQ(arrays[0].total, 195310144U);
  EXPECT_EQ(arrays[1].used, 2U);
  EXPECT_FALSE(arrays[1].required.has_value());
  EXPECT_TRUE(arrays[1].action.empty());
}

TEST(MdArrays, AJobThatWaitsHasDoneNothing) {
  const auto arrays = parse_mdstat("md0 : active raid1 a[0] b[1]\n      1 blocks [2/2] [UU]\n      \tresync=PENDING\n");
  ASSERT_EQ(arrays.size(), 1U);
  EXPECT_EQ(arrays[0].action, "resync");
  EXPECT_EQ(arrays[0].total, 0U);
}

TEST(MdArrays, KeepsItsBound) {
  std::string text;
  for (size_t i = 0; i < kMostMdArrays + 10; ++i) text += "md" + std::to_string(i) + " : inactive\n  [2/1]\n";
  const auto arrays = parse_mdstat(text);
  EXPECT_EQ(arrays.size(), kMostMdArrays);
  EXPECT_FALSE(arrays.back().required.has_value());
}

TEST(MdArrays, TheShapeIsThatOfTheNames) {
  const uint64_t one = mdstat_shape("md0 : active raid1 a[0]\n");
  EXPECT_EQ(one, mdstat_shape("md0 : inactive b[0](F)\n  [2/1]\n"));
  EXPECT_NE(one, mdstat_shape("md1 : active raid1 a[0]\n"));
}

}  // namespace
}  // namespace monitor::agent

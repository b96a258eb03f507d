// The messages between the agent and its helper process.
#include "inputs/proc/probe_process.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace monitor::agent {
namespace {

TEST(ProbeProcess, QuestionsRoundTrip) {
  Mount mount;
  mount.id = 77;
  mount.device = "8:1";
  mount.mount_point = "/a \n\xff" + std::string(5000, 'x');
  mount.type = "ext4";
  const auto back = decode_question(encode_question(mount, {"/host", MountOrigin::Check::kDevice}));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->first, mount);
  EXPECT_EQ(back->second.rootfs, "/host");
  EXPECT_EQ(back->second.check, MountOrigin::Check::kDevice);
}

TEST(ProbeProcess, AnswersRoundTrip) {
  MountFacts facts{4096, 10, 9, 8, 7, 6, UINT64_MAX, false, "8:17"};
  auto back = decode_answer(encode_answer(facts));
  ASSERT_TRUE(back);
  EXPECT_EQ(encode_answer(back), encode_answer(facts));
  EXPECT_FALSE(back->directory);
  EXPECT_EQ(back->fsid, UINT64_MAX);
  back = decode_answer(encode_answer(Error(Code::kPermissionDenied, "opening /x: Permission denied")));
  ASSERT_FALSE(back);
  EXPECT_TRUE(is_unseen(back.error()));
  EXPECT_EQ(back.error().message(), "opening /x: Permission denied");
}

TEST(ProbeProcess, RejectsMalformedBytes) {
  SeededRandom random(3);
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    const size_t size = random.below(40);
    for (size_t i = 0; i < size; ++i)
      text += std::string(
          "\0\0\0"
          "0127x/",
          9)[random.below(9)];
    (void)decode_question(text);
    (void)decode_answer(text);
  }
  EXPECT_FALSE(decode_answer(""));
  EXPECT_FALSE(decode_question(""));
}

}  // namespace
}  // namespace monitor::agent

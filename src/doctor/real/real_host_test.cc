#include "doctor/real/real_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/clock.h"

namespace monitor::doctor {
namespace {

class RealHostTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/host-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  RealHost host_;
  std::string folder_;
};

TEST_F(RealHostTest, MeasuresTheDiskAndLeavesNoFile) {
  const auto speed = host_.speed(folder_);
  ASSERT_TRUE(speed.ok());
  EXPECT_GE(speed->writes, 1);
  EXPECT_GT(speed->median_ns, 0);
  EXPECT_GE(speed->worst_ns, speed->median_ns);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  EXPECT_EQ(host_.speed(folder_ + "/none").error().code(), Code::kNotFound);
  EXPECT_GT(host_.room(folder_)->total_bytes, 0U);
}

TEST_F(RealHostTest, RunsOnlyProgramsThatNobodyElseCanHaveWritten) {
  const std::string program = folder_ + "/monitor-agent";
  const std::string proof = folder_ + "/ran";
  std::ofstream(program) << "#!/bin/sh\necho ran >>" << proof << "\necho monitor-agent 9.8.7\n";
  ASSERT_EQ(chmod(program.c_str(), 0755), 0);
  const auto version = [&] {
    for (const ProgramSight& one : host_.programs(folder_, kNanosPerSecond)) {
      if (one.path == program) return one.version;
    }
    return std::string("not found");
  };
  EXPECT_EQ(version(), "9.8.7");
  std::filesystem::remove(proof);
  ASSERT_EQ(chmod(program.c_str(), 0777), 0);
  EXPECT_EQ(version(), "");
  EXPECT_FALSE(std::filesystem::exists(proof));
}

TEST_F(RealHostTest, LooksAtLinksThemselves) {
  ASSERT_EQ(symlink("/etc/passwd", (folder_ + "/link").c_str()), 0);
  EXPECT_TRUE(host_.look(folder_ + "/link")->link);
  EXPECT_TRUE(host_.look(folder_)->folder);
  EXPECT_EQ(host_.look(folder_ + "/none").error().code(), Code::kNotFound);
}

TEST_F(RealHostTest, KnowsTheKernel) { EXPECT_FALSE(host_.kernel().release.empty()); }

}  // namespace
}  // namespace monitor::doctor

// Both resolvers pass the same tests.
#include "base/beneath.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace monitor {
namespace {

namespace fs = std::filesystem;

class BeneathTest : public ::testing::TestWithParam<Resolver> {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path().string() + "/beneath-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    top_ = pattern;
    root_ = top_ + "/root";
    fs::create_directories(root_ + "/config/deep");
    fs::create_directories(top_ + "/outside");
    write(root_ + "/config/a.json", "inside");
    write(top_ + "/outside/secret.json", "secret");
    fd_ = std::move(*open_folder(root_));
  }
  void TearDown() override { fs::remove_all(top_); }

  static void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

  Result<Fd> open(const std::string& path, int flags = O_RDONLY) {
    return open_beneath(fd_.get(), root_, path, flags, 0600, GetParam());
  }
  std::string text(const std::string& path) {
    const auto fd = open(path);
    if (!fd) return "error: " + fd.error().message();
    std::string buffer(100, '\0');
    const ssize_t n = read(fd->get(), buffer.data(), buffer.size());
    return buffer.substr(0, static_cast<size_t>(n));
  }
  Code code(const std::string& path, int flags = O_RDONLY) {
    const auto fd = open(path, flags);
    return fd ? Code::kOk : fd.error().code();
  }

  std::string top_;
  std::string root_;
  Fd fd_;
};

TEST_P(BeneathTest, OpensFilesBelowTheRoot) {
  EXPECT_EQ(text("config/a.json"), "inside");
  EXPECT_EQ(text("config/deep/../a.json"), "inside");
  EXPECT_EQ(text("./config//a.json"), "inside");
  EXPECT_EQ(code("config/b.json"), Code::kNotFound);
  EXPECT_TRUE(open("config/deep", O_PATH | O_DIRECTORY));
}

TEST_P(BeneathTest, RefusesEveryWayOut) {
  fs::create_symlink(top_ + "/outside/secret.json", root_ + "/config/absolute.json");
  fs::create_symlink("../../outside/secret.json", root_ + "/config/relative.json");
  fs::create_symlink("../../outside", root_ + "/config/folder");
  fs::create_symlink("/proc/self/root", root_ + "/config/magic");
  fs::create_symlink("deep/../../..", root_ + "/config/zigzag");
  for (const std::string path : {"../outside/secret.json", "config/../../outside/secret.json", "config/absolute.json",
                                 "config/relative.json", "config/folder/secret.json", "config/magic/etc/passwd",
                                 "config/zigzag/outside/secret.json", "..", "/etc/passwd"}) {
    EXPECT_EQ(code(path), Code::kPermissionDenied) << path << ": " << text(path);
  }
}

TEST_P(BeneathTest, FollowsLinksThatStayBelow) {
  fs::create_directories(root_ + "/..2024");
  write(root_ + "/..2024/b.json", "mounted");
  fs::create_symlink("..2024", root_ + "/..data");
  fs::create_symlink("../..data/b.json", root_ + "/config/b.json");
  EXPECT_EQ(text("config/b.json"), "mounted");
  fs::create_symlink("c.json", root_ + "/config/d.json");
  EXPECT_EQ(code("config/d.json"), Code::kNotFound);
}

TEST_P(BeneathTest, EndsLoopsOfLinks) {
  fs::create_symlink("two", root_ + "/one");
  fs::create_symlink("one", root_ + "/two");
  EXPECT_EQ(code("one"), Code::kFailedPrecondition);
}

TEST_P(BeneathTest, FollowsNoLastLinkWithNoFollow) {
  fs::create_symlink("a.json", root_ + "/config/link.json");
  EXPECT_EQ(code("config/link.json", O_RDWR | O_NOFOLLOW), Code::kFailedPrecondition);
  EXPECT_EQ(code("config/link.json", O_RDWR | O_CREAT | O_NOFOLLOW), Code::kFailedPrecondition);
  EXPECT_EQ(code("config/new.json", O_RDWR | O_CREAT | O_NOFOLLOW), Code::kOk);
}

TEST_P(BeneathTest, CreatesNoFileThroughALinkThatLeadsOut) {
  fs::create_symlink(top_ + "/outside/made", root_ + "/made");
  EXPECT_EQ(code("made", O_RDWR | O_CREAT), Code::kPermissionDenied);
  EXPECT_FALSE(fs::exists(top_ + "/outside/made"));
}

TEST_P(BeneathTest, RefusesNul) { EXPECT_EQ(code(std::string("config/a.json\0x", 15)), Code::kInvalidArgument); }

INSTANTIATE_TEST_SUITE_P(Both, BeneathTest, ::testing::Values(Resolver::kKernel, Resolver::kWalk),
                         [](const auto& one) { return one.param == Resolver::kKernel ? "Kernel" : "Walk"; });

class DiskBeneathTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path().string() + "/disk-beneath-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    top_ = pattern;
    root_ = top_ + "/root";
    fs::create_directories(top_ + "/outside");
    std::ofstream(top_ + "/outside/victim") << "victim";
  }
  void TearDown() override { fs::remove_all(top_); }
  std::string victim() const {
    std::ifstream file(top_ + "/outside/victim");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  PosixDisk disk_;
  std::string top_;
  std::string root_;
};

TEST_F(DiskBeneathTest, WritesReadsAndRemoves) {
  ASSERT_TRUE(disk_.write_beneath(root_, "a/b/c.json", "text"));
  EXPECT_EQ(*disk_.read_beneath(root_, "a/b/c.json", 100), "text");
  ASSERT_TRUE(disk_.remove_beneath(root_, "a/b/c.json"));
  EXPECT_TRUE(disk_.remove_beneath(root_, "a/b/c.json")) << "removing a missing file succeeds";
  EXPECT_TRUE(disk_.remove_beneath(root_, "x/y/c.json"));
  EXPECT_EQ(disk_.read_beneath(root_, "a/b/c.json", 100).error().code(), Code::kNotFound);
  EXPECT_TRUE(fs::is_empty(root_ + "/a/b")) << "a temporary file is left";
}

TEST_F(DiskBeneathTest, ReplacesALinkInsteadOfWritingThroughIt) {
  fs::create_directories(root_);
  fs::create_symlink(top_ + "/outside/victim", root_ + "/a.json");
  EXPECT_EQ(disk_.read_beneath(root_, "a.json", 100).error().code(), Code::kPermissionDenied);
  ASSERT_TRUE(disk_.write_beneath(root_, "a.json", "mine"));
  EXPECT_EQ(victim(), "victim");
  EXPECT_EQ(*disk_.read_beneath(root_, "a.json", 100), "mine");
}

TEST_F(DiskBeneathTest, WritesAndRemovesNothingInAFolderOutside) {
  fs::create_directories(root_);
  fs::create_symlink(top_ + "/outside", root_ + "/a");
  EXPECT_EQ(disk_.write_beneath(root_, "a/made", "x").error().code(), Code::kPermissionDenied);
  EXPECT_EQ(disk_.remove_beneath(root_, "a/victim").error().code(), Code::kPermissionDenied);
  EXPECT_EQ(victim(), "victim");
  EXPECT_FALSE(fs::exists(top_ + "/outside/made"));
}

TEST_F(DiskBeneathTest, DoesNotWaitForAFifo) {
  fs::create_directories(root_);
  ASSERT_EQ(mkfifo((root_ + "/a.json").c_str(), 0600), 0);
  EXPECT_EQ(disk_.read_beneath(root_, "a.json", 100).error().code(), Code::kFailedPrecondition);
}

}  // namespace
}  // namespace monitor

// Checks files and folders of this user, as this user and as another one.
#include "base/trust.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/lock_file.h"
#include "base/written_file.h"

namespace monitor {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kOwner = 4242;  // root can create files of this owner; other users only have their own
constexpr uid_t kOther = 4243;

class TrustTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path().string() + "/trust-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    top_ = pattern;
    folder_ = top_ + "/data";
    ASSERT_EQ(mkdir(folder_.c_str(), 0755), 0);
    file_ = top_ + "/token";
    std::ofstream(file_) << "0123456789abcdef\n";
    for (const std::string& path : {folder_, file_}) own(path);
  }
  void TearDown() override { fs::remove_all(top_); }

  void own(const std::string& path) {
    self_ = geteuid() == 0 ? kOwner : geteuid();
    if (geteuid() == 0) {
      ASSERT_EQ(lchown(path.c_str(), kOwner, static_cast<gid_t>(-1)), 0);
    }
  }
  static void mode(const std::string& path, mode_t bits) { ASSERT_EQ(chmod(path.c_str(), bits), 0); }
  Status check(uid_t self) const { return check_folder_trusted(folder_, "the data folder", self); }
  std::string refusal() const {
    const Status checked = check(self_);
    return checked ? "" : checked.error().message();
  }

  uid_t self_ = 0;
  std::string top_;
  std::string folder_;
  std::string file_;
};

TEST_F(TrustTest, AcceptsAFolderOfItsOwnThatOthersMayRead) {
  EXPECT_TRUE(check(self_));
  mode(folder_, 0700);
  EXPECT_TRUE(check(self_));
}

TEST_F(TrustTest, AcceptsAFolderOfRoot) { EXPECT_TRUE(check_folder_trusted("/", "the folder", kOther)); }

TEST_F(TrustTest, RefusesAFolderOfAnotherUser) {
  const Status checked = check(kOther);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code(), Code::kPermissionDenied);
  EXPECT_NE(checked.error().message().find("the data folder " + folder_ + " belongs to "), std::string::npos);
  EXPECT_NE(checked.error().message().find("or chown it"), std::string::npos);
  EXPECT_EQ(checked.error().message().find('\n'), std::string::npos);
}

TEST_F(TrustTest, RefusesAFolderThatOthersMayWrite) {
  for (const mode_t bits : {0775U, 0757U, 0777U, 02770U}) {
    mode(folder_, bits);
    EXPECT_NE(refusal().find("chmod go-w " + folder_), std::string::npos) << refusal();
  }
  mode(folder_, 01777);
  EXPECT_EQ(refusal(), "") << "no other user can reach it";
  mode(top_, 0711);
  EXPECT_NE(refusal().find("choose a folder of your own"), std::string::npos) << refusal();
}

TEST_F(TrustTest, RefusesAFolderBelowOneOfAnotherUser) {
  const std::string inner = folder_ + "/inner";
  ASSERT_EQ(mkdir(inner.c_str(), 0700), 0);
  if (geteuid() == 0) {
    ASSERT_EQ(lchown(inner.c_str(), kOther, static_cast<gid_t>(-1)), 0);
  }
  const Status checked = check_folder_trusted(inner, "the data folder", geteuid() == 0 ? kOther : kOther + 1);
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message().find("belongs to"), std::string::npos);
}

TEST_F(TrustTest, RefusesAFolderThatOthersMayReplace) {
  mode(top_, 0777);
  EXPECT_NE(refusal().find("chmod o-w " + top_), std::string::npos) << refusal();
  mode(top_, 01777);
  EXPECT_EQ(refusal(), "") << "sticky like /tmp";
}

TEST_F(TrustTest, FollowsLinksOfTrustedUsersOnly) {
  const std::string link = top_ + "/link";
  fs::create_symlink(folder_, link);
  own(link);
  EXPECT_TRUE(check_folder_trusted(link, "the data folder", self_));
  EXPECT_TRUE(check_folder_trusted(link + "/", "the data folder", self_));
  EXPECT_FALSE(check_folder_trusted(link, "the data folder", kOther));
  mode(folder_, 0777);
  EXPECT_FALSE(check_folder_trusted(link, "the data folder", self_));
}

TEST_F(TrustTest, ChecksTheAncestorsOfALinksTarget) {
  const std::string open = top_ + "/open";
  ASSERT_EQ(mkdir(open.c_str(), 0700), 0);
  fs::rename(folder_, open + "/data");
  fs::create_symlink(open + "/data", folder_);
  own(folder_);
  EXPECT_EQ(refusal(), "");
  mode(open, 0777);
  EXPECT_NE(refusal().find("chmod o-w " + open), std::string::npos) << refusal();
}

TEST_F(TrustTest, CreatesAMissingFolderForItsOwnerOnly) {
  PosixDisk disk;
  const std::string made = top_ + "/new/data";
  EXPECT_EQ(check_folder_trusted(made, "the data folder").error().code(), Code::kNotFound);
  ASSERT_TRUE(make_trusted_folder(disk, made, "the data folder"));
  struct stat info{};
  ASSERT_EQ(stat(made.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700U);
}

TEST_F(TrustTest, ReadsASecretOfItsOwn) {
  mode(file_, 0600);
  EXPECT_EQ(*read_secret_file(file_, 100, "the token file", self_), "0123456789abcdef\n");
  EXPECT_EQ(read_secret_file(top_ + "/none", 100, "the token file").error().code(), Code::kNotFound);
}

TEST_F(TrustTest, RefusesASecretThatOthersCanWrite) {
  EXPECT_EQ(read_secret_file(file_, 100, "the token file", kOther).error().code(), Code::kPermissionDenied);
  for (const mode_t bits : {0620U, 0602U, 0666U}) {
    mode(file_, bits);
    const auto got = read_secret_file(file_, 100, "the token file", self_);
    ASSERT_FALSE(got);
    EXPECT_NE(got.error().message().find("chmod go-w " + file_), std::string::npos);
  }
}

// The folder may have been open to others when these files were created.
TEST_F(TrustTest, RefusesToWriteToFilesThatOthersLeft) {
  struct stat info{};
  ASSERT_EQ(stat(file_.c_str(), &info), 0);
  EXPECT_TRUE(check_written_file(info, file_, true, self_));
  EXPECT_EQ(check_written_file(info, file_, false, kOther).error().code(), Code::kPermissionDenied);
  ASSERT_EQ(link(file_.c_str(), (top_ + "/second").c_str()), 0);
  ASSERT_EQ(stat(file_.c_str(), &info), 0);
  EXPECT_TRUE(check_written_file(info, file_, false, self_));
  EXPECT_EQ(check_written_file(info, file_, true, self_).error().code(), Code::kFailedPrecondition);
  ASSERT_EQ(mkfifo((top_ + "/fifo").c_str(), 0600), 0);
  ASSERT_EQ(stat((top_ + "/fifo").c_str(), &info), 0);
  EXPECT_NE(check_written_file(info, "it", false, self_).error().message().find("not a regular file"),
            std::string::npos);
}

TEST_F(TrustTest, NobodyElseCanHoldTheLock) {
  const std::string path = top_ + "/lock";
  std::ofstream(path) << "precious\n";
  mode(path, 0644);
  ASSERT_TRUE(LockFile::open(path)) << "a file of an earlier version";
  struct stat info{};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U) << "whoever can read the file can lock it";
  ASSERT_EQ(link(path.c_str(), (top_ + "/second").c_str()), 0);
  const auto linked = LockFile::acquire(path, "the folder");
  ASSERT_FALSE(linked);
  EXPECT_NE(linked.error().message().find("hard link"), std::string::npos);
  std::ifstream kept(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(kept), {}), "precious\n") << "not overwritten";
  ASSERT_EQ(unlink(path.c_str()), 0);
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(LockFile::open(path)) << "open() must not wait for a FIFO";
}

TEST_F(TrustTest, WarnsIfEverybodyCanReadASecret) {
  mode(file_, 0644);
  testing::internal::CaptureStderr();
  EXPECT_TRUE(read_secret_file(file_, 100, "the token file", self_));
  mode(file_, 0640);
  EXPECT_TRUE(read_secret_file(file_, 100, "the token file", self_));
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("the token file can be read by every user"), std::string::npos);
  EXPECT_EQ(said.find("0640"), std::string::npos);
  EXPECT_EQ(said.find("0123456789abcdef"), std::string::npos);
}

}  // namespace
}  // namespace monitor

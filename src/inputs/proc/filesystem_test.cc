// The collector of filesystems: which mounts have series, their labels, and the effect of changed mounts.
#include "inputs/proc/filesystem.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "base/testing/fake_clock.h"

namespace monitor::agent {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMounts =
    "22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n"
    "23 22 0:21 / /proc rw - proc proc rw\n"
    "24 22 0:22 / /run rw - tmpfs tmpfs rw\n"
    "25 22 259:2 /var/lib /mnt/bind rw - ext4 /dev/nvme0n1p2 rw\n"
    "26 22 259:1 / /boot/efi rw master:1 propagate_from:2 - vfat /dev/nvme0n1p1 rw\n"
    "27 22 0:50 / /mnt/my\\040disk rw - nfs4 server:/x rw\n"
    "28 22 0:60 / /var/lib/docker/overlay2/a/merged rw - overlay overlay rw\n"
    "29 22 0:61 / /cloud rw - fuse.rclone remote: rw\n"
    "30 22 7:0 / /snap/core/1 ro - squashfs /dev/loop0 ro\n";

class FilesystemTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/filesystem-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
    fs::create_directories(path_ + "/self");
    table(kMounts);
    collector_.emplace(
        Roots{path_, "", ""},
        std::make_shared<MountProber>(clock_, [this](const auto& mount, const auto&) { return probe(mount); }));
  }
  void TearDown() override {
    collector_.reset();
    fs::remove_all(path_);
  }

  void table(const std::string& text) const { std::ofstream(path_ + "/self/mountinfo") << text; }
  Result<MountFacts> probe(const Mount& mount) {
    const std::lock_guard lock(mutex_);
    const auto found = answers_.find(mount.mount_point);
    return found == answers_.end() ? Result<MountFacts>(MountFacts{1, 400, 300, 300, 100, 90}) : found->second;
  }
  void answers(const std::string& point, Result<MountFacts> answer) {
    const std::lock_guard lock(mutex_);
    answers_.insert_or_assign(point, std::move(answer));
  }
  void configure(bool each, std::vector<std::string> include = {}, std::vector<std::string> exclude = {}) {
    config::MetricSelection one{"filesystem"};
    if (each) one.flags.insert("per_filesystem");
    one.include = std::move(include);
    one.exclude = std::move(exclude);
    collector_->configure({one});
  }
  std::map<std::string, double> read() {
    metrics::Tick tick;
    TickBuilder out(series_, tick);
    status_ = collector_->collect({0, now_ns_ += kNanosPerSecond}, out);
    std::map<std::string, double> values;
    for (const auto& point : tick.points) values[metrics::to_string(series_.at(point.series))] = series_.value(point);
    return values;
  }
  static std::string used(const std::string& device, const std::string& point, const std::string& type) {
    return "system.filesystem.usage{system.device=" + device + ",system.filesystem.mountpoint=" + point +
           ",system.filesystem.state=used,system.filesystem.type=" + type + "}";
  }

  std::string path_;
  FakeClock clock_;
  std::mutex mutex_;
  std::map<std::string, Result<MountFacts>> answers_;
  std::optional<FilesystemCollector> collector_;
  metrics::SeriesTable series_;
  Status status_;
  int64_t now_ns_ = 0;
};

constexpr const char* kSum = "system.filesystem.usage{system.filesystem.state=used}";

TEST_F(FilesystemTest, SumsFilesystemsThatStoreData) {
  configure(false);
  const auto values = read();
  EXPECT_EQ(values.size(), 4U);
  EXPECT_DOUBLE_EQ(values.at(kSum), 300) << "/, /boot/efi and the export; not the bind mount, the cloud or the image";
  EXPECT_DOUBLE_EQ(values.at("system.filesystem.utilization"), 0.25);
  EXPECT_DOUBLE_EQ(values.at("system.filesystem.inodes.utilization"), 0.1);
}

TEST_F(FilesystemTest, ReportsSharesOutsideTheSum) {
  configure(true);
  const auto values = read();
  EXPECT_TRUE(values.contains(used("remote:", "/cloud", "fuse.rclone")));
  EXPECT_TRUE(values.contains(used("/dev/nvme0n1p2", "/", "ext4")));
  EXPECT_EQ(values.size(), 4U * 5) << "/, /boot/efi, the export, the cloud and the sum";
  EXPECT_DOUBLE_EQ(values.at(kSum), 300);
}

TEST_F(FilesystemTest, PatternsChooseAndCountOnce) {
  configure(true, {"/", "/mnt/*", "/run"}, {"/mnt/my*"});
  const auto values = read();
  EXPECT_EQ(values.size(), 4U * 4);
  EXPECT_TRUE(values.contains(used("/dev/nvme0n1p2", "/mnt/bind", "ext4")));
  EXPECT_DOUBLE_EQ(values.at(kSum), 200) << "/ and /run: the bind mount has the bytes of /";
}

TEST_F(FilesystemTest, LabelsFollowARemountInTheNextTick) {
  configure(true);
  EXPECT_TRUE(read().contains(used("/dev/nvme0n1p1", "/boot/efi", "vfat")));
  std::string text = kMounts;
  text.replace(text.find("26 22 259:1"), 11, "31 22 8:1");
  text.replace(text.find("vfat /dev/nvme0n1p1"), 19, "ext2 /dev/sda1");
  table(text);
  const auto values = read();
  EXPECT_FALSE(values.contains(used("/dev/nvme0n1p1", "/boot/efi", "vfat")));
  EXPECT_TRUE(values.contains(used("/dev/sda1", "/boot/efi", "ext2")));
}

TEST_F(FilesystemTest, PrefersAMountedFolderToAMountedFile) {
  MountFacts file{1, 400, 300, 300, 100, 90};
  file.directory = false;
  answers("/etc/hosts", file);
  table(
      "1 0 0:50 / / rw - overlay overlay rw\n"
      "2 1 8:1 /c/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n"
      "3 1 8:1 /volumes/data /srv/data/volume rw - ext4 /dev/sda1 rw\n");
  answers("/", MountFacts{1, 900, 100, 100});
  configure(true);
  const auto values = read();
  EXPECT_FALSE(values.contains(used("/dev/sda1", "/etc/hosts", "ext4")));
  EXPECT_TRUE(values.contains(used("/dev/sda1", "/srv/data/volume", "ext4")));
  EXPECT_DOUBLE_EQ(values.at(kSum), 900);
}

TEST_F(FilesystemTest, HasNoSumIfAMemberFails) {
  configure(true);
  EXPECT_TRUE(read().contains(kSum));
  answers("/mnt/my disk", Error(Code::kUnavailable, "statfs: Stale file handle"));
  const auto values = read();
  EXPECT_FALSE(values.contains(kSum));
  EXPECT_TRUE(values.contains(used("/dev/nvme0n1p2", "/", "ext4")));
  EXPECT_TRUE(status_.ok());
  answers("/mnt/my disk", MountFacts{1, 400, 300, 300, 100, 90});
  EXPECT_TRUE(read().contains(kSum));
}

TEST_F(FilesystemTest, ReportsThatNoMountIsAccessible) {
  configure(false);
  for (const char* point : {"/", "/mnt/bind", "/boot/efi", "/mnt/my disk"}) {
    answers(point, Error(Code::kNotFound, "opening " + std::string(point)));
  }
  EXPECT_TRUE(read().empty());
  ASSERT_FALSE(status_.ok());
  EXPECT_NE(status_.error().message().find("--rootfs"), std::string::npos);
}

TEST_F(FilesystemTest, OmitsInodesThatAreNotCounted) {
  table("1 0 0:30 / / rw - btrfs /dev/sda2 rw\n");
  answers("/", MountFacts{1, 400, 300, 300, 0, 0});
  configure(false);
  EXPECT_EQ(read().size(), 2U);
}

TEST_F(FilesystemTest, LongMountPointsFitALabelAndStayDistinct) {
  const std::string deep(4000, 'd');
  table("1 0 8:1 / /" + deep + "a rw - ext4 /dev/sda1 rw\n2 0 8:2 / /" + deep + "b rw - ext4  rw\n");
  configure(true);
  EXPECT_EQ(read().size(), 4U * 3);
  for (metrics::SeriesId id = 0; id < series_.size(); ++id) {
    for (const auto& [key, value] : series_.at(id).labels) EXPECT_LE(value.size(), 1024U) << key;
  }
}

TEST_F(FilesystemTest, PathsThatLookAlikeStayDistinct) {
  table("1 0 8:1 / /a\\011b rw - ext4 /dev/sda1 rw\n2 0 8:2 / /a\\012b rw - ext4 /dev/sda1 rw\n");
  configure(true);
  EXPECT_EQ(read().size(), 4U * 3);
}

// On the running kernel: what statfs(2) returns for this process's own root.
TEST(ProbeMount, AnswersForTheMountOfItsTable) {
  MountTable table({"/proc", "/sys", ""});
  ASSERT_TRUE(table.refresh().ok());
  ASSERT_FALSE(table.mounts().empty());
  Mount root;
  for (const Mount& mount : table.mounts()) {
    if (mount.mount_point == "/proc") root = mount;
  }
  ASSERT_EQ(root.mount_point, "/proc");
  EXPECT_TRUE(probe_mount(root, table.origin()).ok());
  root.id += 100'000;
  const auto other = probe_mount(root, table.origin());
  ASSERT_FALSE(other.ok());
  EXPECT_TRUE(is_unseen(other.error())) << "a different mount than the one in the table";
}

TEST(OpenBelow, FollowsNoSymlinkAndAcceptsLongPaths) {
  std::string folder = testing::TempDir() + "/below-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  fs::create_directory_symlink("/etc", folder + "/out");
  EXPECT_FALSE(open_below(folder, "/out").ok());
  EXPECT_FALSE(open_below(folder, "/out/passwd").ok());
  EXPECT_FALSE(open_below(folder, "/../../etc").ok()) << "also on a kernel without openat2()";
  fs::create_directories(folder + "/a/b");
  EXPECT_TRUE(open_below(folder, "/a/b").ok());
  EXPECT_TRUE(open_below(folder, "/").ok());
  EXPECT_FALSE(open_below(folder, "/" + std::string(5000, '/') + "a/none").ok());
  EXPECT_TRUE(open_below(folder, "/a" + std::string(5000, '/') + "b").ok()) << "longer than PATH_MAX";
  fs::remove_all(folder);
}

}  // namespace
}  // namespace monitor::agent

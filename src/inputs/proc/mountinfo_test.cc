// The mount table: parsing, which mounts are on top, and tables that are read in pieces.
#include "inputs/proc/mountinfo.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "inputs/proc/mount_kind.h"

namespace monitor::agent {
namespace {

std::vector<std::string> points(const std::vector<Mount>& mounts) {
  std::vector<std::string> result;
  for (const Mount& mount : mounts) result.push_back(mount.mount_point);
  return result;
}

TEST(Mountinfo, ReadsEveryFieldAndSkipsOptionalOnes) {
  const auto mounts = parse_mountinfo(
      "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 propagate_from:2 - ext3 /dev/root rw,errors=continue\n");
  ASSERT_EQ(mounts.size(), 1U);
  EXPECT_EQ(mounts[0], (Mount{36, 35, "98:0", "/mnt1", "/mnt2", "ext3", "/dev/root", "rw,errors=continue"}));
}

TEST(Mountinfo, KeepsAnEmptySourceEmpty) {
  const auto mounts = parse_mountinfo("40 1 0:50 / /es rw,relatime - tmpfs  rw,size=1k\n");
  ASSERT_EQ(mounts.size(), 1U);
  EXPECT_EQ(mounts[0].source, "");
  EXPECT_EQ(mounts[0].super_options, "rw,size=1k");
}

TEST(Mountinfo, ResolvesOctalEscapesAndKeepsOtherBackslashes) {
  const auto mounts =
      parse_mountinfo("1 0 8:1 / /a\\040b\\011c\\012d\\134e\\043f\\04\\999 rw - ext4 /dev/x\\040y rw\n");
  ASSERT_EQ(mounts.size(), 1U);
  EXPECT_EQ(mounts[0].mount_point, "/a b\tc\nd\\e#f\\04\\999");
  EXPECT_EQ(mounts[0].source, "/dev/x y");
  const auto fuse = parse_mountinfo("1 0 0:40 / /m rw - fuse.my\\040fs my\\040src rw\n");
  ASSERT_EQ(fuse.size(), 1U);
  EXPECT_EQ(fuse[0].type, "fuse.my fs");
}

TEST(Mountinfo, AcceptsMountPointsOfAnyLength) {
  std::string path;
  while (path.size() + 200 < 4095) path += "/" + std::string(199, 'x');
  path += "/" + std::string(4095 - path.size() - 1, 'y');
  const auto mounts = parse_mountinfo("1 0 8:1 / " + path + " rw - ext4 /dev/sda1 rw\n");
  ASSERT_EQ(mounts.size(), 1U);
  EXPECT_EQ(mounts[0].mount_point, path);
}

TEST(Mountinfo, SkipsMalformedLines) {
  EXPECT_EQ(
      parse_mountinfo("\n \nx\n1 2\n1 0 8:1 / / rw\n1 0 8:1 / / rw -\n1 0 8:1 / relative rw - ext4 a rw\n").size(), 0U);
}

TEST(VisibleMounts, KeepsOnlyTheTopmostAtOnePlace) {
  const auto mounts =
      visible_mounts(parse_mountinfo("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                     "2 1 8:2 / /m rw - ext4 /dev/sda2 rw\n"
                                     "3 2 8:3 / /m rw - xfs /dev/sda3 rw\n"));
  ASSERT_EQ(mounts.size(), 2U);
  EXPECT_EQ(mounts[1].source, "/dev/sda3");
}

TEST(VisibleMounts, HidesMountsCoveredByALaterOneAbove) {
  const auto mounts =
      visible_mounts(parse_mountinfo("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                     "2 1 8:2 / /a/b rw - ext4 /dev/sda2 rw\n"
                                     "3 2 8:4 / /a/b/c rw - ext4 /dev/sda4 rw\n"
                                     "4 1 8:3 / /a rw - ext4 /dev/sda3 rw\n"
                                     "5 4 8:5 / /a/b rw - ext4 /dev/sda5 rw\n"
                                     "6 1 8:6 / /ab rw - ext4 /dev/sda6 rw\n"));
  EXPECT_EQ(points(mounts), (std::vector<std::string>{"/", "/a", "/a/b", "/ab"}));
  EXPECT_EQ(mounts[2].source, "/dev/sda5");
}

TEST(VisibleMounts, KeepsTheMountOnTopOfTheInitialRoot) {
  const auto mounts =
      visible_mounts(parse_mountinfo("1 1 0:2 / / rw - rootfs rootfs rw\n"
                                     "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                     "21 1 0:3 / /old rw - tmpfs x rw\n"
                                     "22 20 8:2 / /home rw - ext4 /dev/sda2 rw\n"));
  EXPECT_EQ(points(mounts), (std::vector<std::string>{"/", "/home"}));
  EXPECT_EQ(mounts[0].source, "/dev/sda1");
}

TEST(VisibleMounts, SurvivesCyclesAndUnknownParents) {
  EXPECT_EQ(visible_mounts(parse_mountinfo("1 2 8:1 / /a rw - ext4 a rw\n2 1 8:2 / /b rw - ext4 b rw\n")).size(), 0U);
  EXPECT_EQ(visible_mounts(parse_mountinfo("1 9 8:1 / / rw - ext4 a rw\n2 9 8:2 / /b rw - ext4 b rw\n")).size(), 2U)
      << "a table without parents does not tell which mounts are covered";
}

class TableFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/mounts-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(path_); }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path_ + "/" + name).parent_path());
    std::ofstream(path_ + "/" + name) << text;
  }
  std::string path_;
};

TEST_F(TableFolder, ReportsChangesOfARecordedTable) {
  write("self/mountinfo", "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
  MountTable table({path_, "", ""});
  ASSERT_TRUE(table.refresh().value());
  EXPECT_FALSE(table.refresh().value());
  write("self/mountinfo", "1 0 8:2 / / rw - ext4 /dev/sda2 rw\n");
  EXPECT_TRUE(table.refresh().value());
  EXPECT_EQ(table.mounts().at(0).source, "/dev/sda2");
  EXPECT_EQ(table.origin().check, MountOrigin::Check::kNone);
}

TEST_F(TableFolder, PrefersTheFirstProcessOfAnotherProcfs) {
  write("self/mountinfo", "1 0 8:1 / / rw - ext4 container rw\n");
  write("1/mountinfo", "1 0 8:1 / / rw - ext4 host rw\n");
  MountTable table({path_ + "/", "", "/host/"});
  ASSERT_TRUE(table.refresh().value());
  EXPECT_EQ(table.mounts().at(0).source, "host");
  EXPECT_EQ(table.origin().rootfs, "/host");
}

TEST_F(TableFolder, ReadsThousandsOfMounts) {
  std::string text = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n";
  for (int i = 2; i < 5000; ++i) {
    text += std::to_string(i) + " 1 8:1 / /m" + std::to_string(i) + "/" + std::string(100, 'x') + " rw - ext4 a rw\n";
  }
  write("self/mountinfo", text);
  MountTable table({path_, "", ""});
  ASSERT_TRUE(table.refresh().value());
  EXPECT_EQ(table.mounts().size(), 4999U);
}

TEST(MountTable, ReadsItsOwnTableOnceUntilTheKernelReportsAChange) {
  MountTable table({"/proc", "/sys", ""});
  ASSERT_TRUE(table.refresh().value());
  EXPECT_EQ(table.origin().check, MountOrigin::Check::kMountId);
  EXPECT_FALSE(table.mounts().empty());
  EXPECT_TRUE(table.refresh().ok());
}

TEST(MountKind, ClassifiesMounts) {
  const auto kind = [](const std::string& rest, const std::string& device = "0:40", const std::string& point = "/x") {
    return kind_of(parse_mountinfo("9 1 " + device + " / " + point + " rw - " + rest + " rw\n").at(0));
  };
  EXPECT_EQ(kind("ext4 /dev/sda1", "8:1"), MountKind::kDisk);
  EXPECT_EQ(kind("fuseblk /dev/sdb1", "8:17"), MountKind::kDisk);
  EXPECT_EQ(kind("btrfs /dev/sda2"), MountKind::kDisk);
  EXPECT_EQ(kind("zfs tank/home"), MountKind::kDisk);
  EXPECT_EQ(kind("zfs tank/home@monday"), MountKind::kLayers);
  EXPECT_EQ(kind("squashfs /dev/loop3", "7:3"), MountKind::kImage);
  EXPECT_EQ(kind("iso9660 /dev/sr0", "11:0"), MountKind::kImage);
  EXPECT_EQ(kind("nfs4 server:/x"), MountKind::kNetwork);
  for (const char* share : {"fuse.rclone x", "fuse x", "9p drivers", "virtiofs tag", "fuse.lxcfs lxcfs"}) {
    EXPECT_EQ(kind(share), MountKind::kShare) << share;
  }
  EXPECT_EQ(kind("overlay overlay"), MountKind::kLayers);
  for (const char* root :
       {"overlay overlay", "virtiofs root", "fuse.fuse-overlayfs x", "simfs /dev/simfs", "wslfs r"}) {
    EXPECT_EQ(kind(root, "0:40", "/"), MountKind::kDisk) << root;
  }
  EXPECT_EQ(kind("tmpfs tmpfs", "0:5", "/"), MountKind::kMemory);
  EXPECT_EQ(kind("proc proc"), MountKind::kKernel);
}

TEST(MountKind, TreatsMountsBelowARemoteMountAsRemote) {
  const auto mounts = parse_mountinfo(
      "1 0 8:1 / / rw - ext4 a rw\n2 1 0:9 / /n rw - nfs s:/ rw\n"
      "3 2 8:2 / /n/x rw - ext4 b rw\n4 1 8:3 / /nx rw - ext4 c rw\n");
  const auto remote = remote_points(mounts);
  EXPECT_FALSE(is_remote(mounts[0], remote));
  EXPECT_TRUE(is_remote(mounts[1], remote));
  EXPECT_TRUE(is_remote(mounts[2], remote));
  EXPECT_FALSE(is_remote(mounts[3], remote));
}

}  // namespace
}  // namespace monitor::agent

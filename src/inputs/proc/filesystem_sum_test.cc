// The sum over a host's filesystems includes every byte once.
#include "inputs/proc/filesystem_sum.h"

#include <gtest/gtest.h>

#include <limits>

namespace monitor::agent {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

// Sizes in blocks of 1 GiB.
MountFacts facts(uint64_t blocks, uint64_t free) { return {kGiB, blocks, free, free, 1000, 900}; }

class Host {
 public:
  Host& mount(const std::string& device, const std::string& point, const std::string& type, const std::string& source,
              std::optional<Result<MountFacts>> answer, const std::string& options = "rw") {
    const uint64_t id = 10 + measured_.size();
    all_.push_back({id, 1, device, "/", point, type, source, options});
    measured_.push_back({all_.back(), kind_of(all_.back()), named_, std::move(answer)});
    return *this;
  }
  Host& named() {
    named_ = true;
    return *this;
  }
  FilesystemSum sum() const { return sum_of(measured_, all_); }
  // Used and available space, in GiB.
  std::pair<uint64_t, uint64_t> total() const {
    const auto usage = sum().usage;
    return usage ? std::pair{usage->used / kGiB, usage->available / kGiB} : std::pair<uint64_t, uint64_t>{999, 999};
  }

 private:
  bool named_ = false;
  std::vector<Mount> all_;
  std::vector<MeasuredMount> measured_;
};

using Pair = std::pair<uint64_t, uint64_t>;
const auto kHung = std::optional<Result<MountFacts>>();

TEST(FilesystemSum, AddsDisksAndCountsADeviceOnce) {
  Host host;
  host.mount("8:1", "/", "ext4", "/dev/sda1", facts(10, 4)).mount("8:2", "/home", "xfs", "/dev/sda2", facts(20, 15));
  EXPECT_EQ(host.total(), (Pair{11, 19}));
  host.mount("8:2", "/srv/bind", "xfs", "/dev/sda2", facts(20, 15));
  EXPECT_EQ(host.total(), (Pair{11, 19}));
}

TEST(FilesystemSum, CountsSubvolumesOfBtrfsOnce) {
  Host host;
  host.mount("0:30", "/", "btrfs", "/dev/sda2", facts(10, 4))
      .mount("0:30", "/home", "btrfs", "/dev/sda2", facts(10, 4));
  EXPECT_EQ(host.total(), (Pair{6, 4}));
}

TEST(FilesystemSum, CountsTheAvailableSpaceOfAPoolOnce) {
  Host host;
  host.mount("0:30", "/", "zfs", "rpool/ROOT/debian", facts(30, 20))
      .mount("0:31", "/home", "zfs", "rpool/home", facts(25, 20))
      .mount("0:32", "/quota", "zfs", "rpool/quota", facts(3, 1))
      .mount("0:33", "/tank", "zfs", "tank", facts(100, 60))
      .mount("0:34", "/home/.zfs/snapshot/a", "zfs", "rpool/home@a", facts(24, 20));
  EXPECT_EQ(host.total(), (Pair{10 + 5 + 2 + 40, 20 + 60}));
}

TEST(FilesystemSum, CountsAnExportOnceThatIsMountedTwice) {
  Host host;
  host.mount("0:40", "/a", "nfs", "server:/x/", facts(10, 4)).mount("0:41", "/b", "nfs4", "server:/x", facts(10, 4));
  EXPECT_EQ(host.total(), (Pair{6, 4}));
  Host smb;
  smb.mount("0:40", "/a", "cifs", "//Server/Data", facts(10, 4))
      .mount("0:41", "/b", "smb3", "\\\\server\\data", facts(10, 4));
  EXPECT_EQ(smb.total(), (Pair{6, 4}));
}

TEST(FilesystemSum, OmitsMountsOfSingleFiles) {
  MountFacts file = facts(50, 10);
  file.directory = false;
  Host host;
  host.mount("0:50", "/", "overlay", "overlay", facts(10, 4)).mount("8:9", "/etc/hosts", "ext4", "/dev/sda9", file);
  EXPECT_EQ(host.total(), (Pair{6, 4}));
}

TEST(FilesystemSum, CountsTheDiskBelowAContainersRootOnce) {
  Host host;
  host.mount("0:50", "/", "overlay", "overlay", facts(100, 40), "rw,upperdir=/var/lib/c/diff,workdir=/w")
      .mount("8:1", "/data", "ext4", "/dev/sda1", facts(100, 40));
  EXPECT_EQ(host.total(), (Pair{60, 40}));
  Host other;
  other.mount("0:50", "/", "overlay", "overlay", facts(100, 40))
      .mount("8:1", "/data", "ext4", "/dev/sda1", facts(100, 80));
  EXPECT_EQ(other.total(), (Pair{80, 120})) << "a volume on another disk of the same size";
}

TEST(FilesystemSum, FindsTheUpperFolderOfAnOverlay) {
  Host host;
  host.mount("0:50", "/", "overlay", "overlayfs:/overlay", facts(9, 4), "rw,lowerdir=/,upperdir=/overlay/upper")
      .mount("31:6", "/overlay", "jffs2", "/dev/mtdblock6", facts(10, 4));
  EXPECT_EQ(host.total(), (Pair{6, 4}));
}

TEST(FilesystemSum, OmitsSharesAndClaimsWithoutLimit) {
  Host host;
  host.mount("8:1", "/", "ext4", "/dev/sda1", facts(10, 4))
      .mount("0:60", "/cloud", "fuse.rclone", "x", facts(1 << 20, (1 << 20) - 1))
      .mount("0:61", "/efs", "nfs4", "fs-1.efs:/", facts(uint64_t{8} << 30, (uint64_t{8} << 30) - 5))
      .mount("0:62", "/mnt/c", "9p", "C:\\", facts(500, 100));
  EXPECT_EQ(host.total(), (Pair{6, 4}));
}

TEST(FilesystemSum, CountsFuseOnADeviceThatRootMounted) {
  MountFacts on_disk = facts(10, 4);
  on_disk.source_device = "8:17";
  Host host;
  host.mount("0:60", "/a", "fuse.fuse2fs", "/dev/sdb1", on_disk, "rw,user_id=0,group_id=0");
  EXPECT_EQ(host.total(), (Pair{6, 4}));
  host.mount("8:17", "/b", "ext4", "/dev/sdb1", facts(10, 4));
  EXPECT_EQ(host.total(), (Pair{6, 4}));
  Host user;
  user.mount("8:1", "/", "ext4", "/dev/sda1", facts(10, 4))
      .mount("0:60", "/a", "fuse.x", "/dev/sdb1", on_disk, "rw,user_id=1000,group_id=0");
  EXPECT_EQ(user.total(), (Pair{6, 4})) << "any user can name a device as source";
}

TEST(FilesystemSum, AddsNamedSharesOnlyIfNothingElseIsChosen) {
  Host alone;
  alone.named().mount("0:60", "/cloud", "fuse.rclone", "x", facts(10, 4));
  EXPECT_EQ(alone.total(), (Pair{6, 4}));
  alone.mount("0:61", "/tmp", "tmpfs", "tmpfs", facts(3, 1));
  EXPECT_EQ(alone.total(), (Pair{2, 1}));
}

TEST(FilesystemSum, IsUnknownWhenAMemberDoesNotAnswerOrFails) {
  Host host;
  host.mount("8:1", "/", "ext4", "/dev/sda1", facts(10, 4)).mount("0:40", "/n", "nfs", "s:/x", kHung);
  EXPECT_FALSE(host.sum().usage);
  EXPECT_EQ(host.sum().unknown, "/n");
  Host failed;
  failed.mount("8:1", "/", "ext4", "/dev/sda1", facts(10, 4))
      .mount("8:2", "/x", "xfs", "/dev/sdb", Error(Code::kUnavailable, "statfs /x: Input/output error"));
  EXPECT_FALSE(failed.sum().usage);
}

TEST(FilesystemSum, StaysKnownIfAHungMountIsNotAMember) {
  Host host;
  host.mount("8:1", "/", "ext4", "/dev/sda1", facts(10, 4))
      .mount("0:60", "/s", "fuse.sshfs", "me@there:", kHung)
      .mount("8:1", "/bind", "ext4", "/dev/sda1", kHung)
      .mount("8:2", "/root/x", "ext4", "/dev/sda2", Error(Code::kPermissionDenied, "opening /root/x"));
  EXPECT_EQ(host.total(), (Pair{6, 4}));
}

TEST(FilesystemSum, HasNoValueWhenNothingCounts) {
  EXPECT_FALSE(Host().sum().usage);
  Host host;
  host.mount("0:9", "/x", "fuse.portal", "portal", facts(0, 0));
  EXPECT_FALSE(host.sum().usage);
}

TEST(Usage, FollowsDf) {
  MountFacts some{4096, 1000, 300, 250, 64, 60};
  EXPECT_EQ(usage_of(some).value(), (FilesystemUsage{700 * 4096, 250 * 4096, 1000 * 4096, 4, 60}));
  some.files = 0;
  EXPECT_EQ(usage_of(some)->inodes_used + usage_of(some)->inodes_free, 0U);
  EXPECT_FALSE(usage_of({4096, 0, 0, 0}));
}

TEST(Usage, SaturatesInsteadOfWrapping) {
  const uint64_t most = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  const auto usage = usage_of({uint64_t{16} << 20, uint64_t{1} << 40, uint64_t{1} << 40, uint64_t{1} << 40});
  ASSERT_TRUE(usage);
  EXPECT_EQ(usage->used, 0U);
  EXPECT_EQ(usage->available, most);
  EXPECT_EQ(usage->total, most);
}

}  // namespace
}  // namespace monitor::agent

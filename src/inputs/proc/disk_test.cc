// Which block devices the sum includes, and the figures of each.
#include "inputs/proc/disk.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "inputs/proc/testing/folder.h"

namespace monitor::agent {
namespace {

struct Numbers {
  std::string device;
  int major;
  uint64_t read;  // in sectors
};

class Disk : public ::testing::Test {
 protected:
  Disk() {
    config::MetricSelection read{"disk read"};
    read.flags.insert("per_device");
    disk_.configure({read});
  }
  void read(const std::vector<Numbers>& devices) {
    std::string text;
    for (const auto& one : devices) {
      text += "  " + std::to_string(one.major) + "  0 " + one.device + " 100 5 " + std::to_string(one.read) +
              " 70 200 6 0 80 0 90 150 0 0 0 0 3 4\n";
    }
    read_text(text);
  }
  void read_text(const std::string& text) {
    folder_.write("proc/diskstats", text);
    mono_ns_ += kNanosPerSecond;
    tick_.points.clear();
    TickBuilder out(table_, tick_);
    EXPECT_TRUE(disk_.collect({0, mono_ns_}, out));
  }
  // Creates a device as the kernel shows it: a link from /sys/block into /sys/devices.
  void device(const std::string& name, const std::string& where) const {
    folder_.write("sys/devices/" + where + "/" + name + "/size", "1000\n");
    folder_.link("sys/block/" + name, "../devices/" + where + "/" + name);
  }
  void slave(const std::string& name, const std::string& of) const {
    folder_.write("sys/block/" + of + "/slaves/" + name + "/size", "1\n");
  }
  double sum() const { return value_of(table_, tick_, "system.disk.io.rate{disk.io.direction=read}"); }
  double of(const std::string& name) const {
    return value_of(table_, tick_, "system.disk.io.rate{disk.io.direction=read,system.device=" + name + "}");
  }
  // The growth of the sum, in sectors, if each of `devices` reads its own power of two.
  double counts(std::vector<Numbers> devices) {
    base_ += 1'000'000;
    for (auto& one : devices) one.read = base_;
    read(devices);
    for (size_t i = 0; i < devices.size(); ++i) devices[i].read += 1U << i;
    read(devices);
    return sum() / 512;
  }

  Folder folder_;
  DiskCollector disk_{folder_.roots()};
  metrics::SeriesTable table_{1000};
  metrics::Tick tick_;
  int64_t mono_ns_ = kNanosPerSecond;
  uint64_t base_ = 0;
};

const std::string kScsi = "pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block";
const std::string kVirtual = "virtual/block";

TEST_F(Disk, DoesNotCountDevicesOnTopOfOthers) {
  folder_.write("proc/devices",
                "Character devices:\n  1 mem\n\nBlock devices:\n  7 loop\n  8 sd\n  9 md\n230 zvol\n251 zram\n252 "
                "device-mapper\n 43 nbd\n259 blkext\n");
  device("sda", kScsi);
  for (const char* name : {"md0", "dm-0", "bcache0", "zd16", "loop3", "zram0", "drbd1", "volume"})
    device(name, kVirtual);
  slave("sda", "bcache0");
  device("nbd0", kVirtual);
  EXPECT_EQ(counts({{"sda", 8, 0},
                    {"sda1", 8, 0},
                    {"md0", 9, 0},
                    {"dm-0", 252, 0},
                    {"bcache0", 250, 0},
                    {"zd16", 230, 0},
                    {"loop3", 7, 0},
                    {"zram0", 251, 0},
                    {"drbd1", 147, 0},
                    {"volume", 249, 0},
                    {"nbd0", 43, 0}}),
            1 + 1024)
      << "a local disk and a network disk";
}

TEST_F(Disk, DoesNotClassifyDisksByTheirNames) {
  folder_.write("proc/devices", "Block devices:\n  8 sd\n 65 cciss\n179 mmc\n230 zvol\n");
  device("ram1", kScsi);
  device("fd0", "platform/floppy.0/block");
  device("mmcblk0boot0", "platform/soc/mmc0/block/mmcblk0");
  device("xvda1", "vbd-2049/block");
  device("cciss!c0d0", "pci0000:00/cciss0/c0d0/block");
  device("sdz", kVirtual);
  EXPECT_EQ(counts({{"ram1", 8, 0},
                    {"fd0", 2, 0},
                    {"mmcblk0boot0", 179, 0},
                    {"xvda1", 202, 0},
                    {"cciss/c0d0", 65, 0},
                    {"cciss/c0d0p1", 65, 0},
                    {"sdz", 230, 0}}),
            31);
}

TEST_F(Disk, RecognizesZfsVolumesByMajorNumberWithoutLinks) {
  folder_.write("sys/block/sda/size", "1\n");
  folder_.write("sys/block/volume/size", "1\n");
  EXPECT_EQ(counts({{"sda", 8, 0}, {"volume", 230, 0}}), 1);
}

TEST_F(Disk, NvmePathsCountOnlyIfTheHeadDoesNot) {
  device("nvme0n1", "virtual/nvme-subsystem/nvme-subsys0");
  folder_.write("sys/block/nvme0n1/hidden", "0\n");
  for (const char* path : {"nvme0c0n1", "nvme0c1n1"}) {
    device(path, std::string("pci0000:00/") + path);
    folder_.write(std::string("sys/block/") + path + "/hidden", "1\n");
  }
  EXPECT_EQ(counts({{"nvme0c0n1", 0, 0}, {"nvme0n1", 259, 0}, {"nvme0c1n1", 0, 0}}), 2);
  EXPECT_TRUE(std::isnan(of("nvme0c0n1")));
  read({{"nvme0c0n1", 0, 100}, {"nvme0n1", 259, 0}, {"nvme0c1n1", 0, 10}});
  read({{"nvme0c0n1", 0, 101}, {"nvme0n1", 259, 0}, {"nvme0c1n1", 0, 14}});
  EXPECT_EQ(sum(), 5 * 512) << "kernels before 6.4 count on the paths";
  EXPECT_EQ(of("nvme0c1n1"), 4 * 512);
  EXPECT_TRUE(std::isnan(of("nvme0n1")));
}

TEST_F(Disk, FindsTheHeadOfAPathByItsNamespace) {
  device("head", "virtual/nvme-subsystem/nvme-subsys0");
  device("nvme5c0n1", "pci0000:00/nvme5");
  folder_.write("sys/block/nvme5c0n1/hidden", "1\n");
  for (const char* name : {"head", "nvme5c0n1"})
    folder_.write(std::string("sys/block/") + name + "/wwid", "eui.0025\n");
  EXPECT_EQ(counts({{"nvme5c0n1", 0, 0}, {"head", 259, 0}}), 2);
}

TEST_F(Disk, NoticesANewVolumeOnADisk) {
  device("sda", kScsi);
  EXPECT_EQ(counts({{"sda", 8, 0}}), 1);
  device("volume", "elsewhere/block");
  slave("sda", "volume");
  EXPECT_EQ(counts({{"sda", 8, 0}, {"volume", 250, 0}}), 1);
}

TEST_F(Disk, NoticesThatAKnownDeviceWasStacked) {
  device("sda", kScsi);
  device("sdb", kScsi);
  EXPECT_EQ(counts({{"sda", 8, 0}, {"sdb", 8, 0}}), 3);
  slave("sda", "sdb");
  for (int i = 0; i < 6; ++i) counts({{"sda", 8, 0}, {"sdb", 8, 0}});
  EXPECT_EQ(counts({{"sda", 8, 0}, {"sdb", 8, 0}}), 1) << "sysfs is read again after six readings";
}

TEST_F(Disk, DistinguishesPartitionsFromDisksWithoutSysfs) {
  EXPECT_EQ(counts({{"vda", 254, 0},
                    {"vda1", 254, 0},
                    {"nvme1n1", 259, 0},
                    {"nvme1n1p3", 259, 0},
                    {"mmcblk0", 179, 0},
                    {"mmcblk0p2", 179, 0},
                    {"md0", 9, 0},
                    {"xvda1", 202, 0}}),
            1 + 4 + 16 + 128);
}

TEST_F(Disk, ReadsOldAndNewLinesAndSkipsMalformedOnes) {
  const auto text = [](int grown) {
    const std::string n = std::to_string(1000 + grown);
    return "   8       0 sda 100 5 " + n +
           " 70 200 6 10 80 0 90 150\n   8       1 sda1 7 8 9 10\n   8      16 sdb 100 5 " + n +
           " 70 200 6 10 80 0 90 150 0 0 0 0 3 4 99 99\nnonsense\n   8      32 sdc 1 2 18446744073709551615 4 5 6 7 "
           "8\n";
  };
  read_text(text(0));
  read_text(text(3));
  EXPECT_EQ(of("sda"), 3 * 512);
  EXPECT_EQ(of("sdb"), 3 * 512);
  EXPECT_EQ(sum(), 6 * 512);
}

TEST_F(Disk, FallingCounterMakesTheSumUnknownForOneTick) {
  read({{"sda", 8, 4'294'967'290}, {"sdb", 8, 10}});
  read({{"sda", 8, 5}, {"sdb", 8, 30}});
  EXPECT_TRUE(std::isnan(sum()));
  EXPECT_EQ(of("sdb"), 20 * 512);
  read({{"sda", 8, 25}, {"sdb", 8, 30}});
  EXPECT_EQ(sum(), 20 * 512);
}

TEST_F(Disk, HostWithoutDisksHasASumOfZero) {
  read_text("");
  read_text("");
  EXPECT_EQ(sum(), 0);
}

}  // namespace
}  // namespace monitor::agent

// Memory, swap, the ZFS cache, control groups.
#include "inputs/proc/memory.h"

#include <gtest/gtest.h>

#include "inputs/proc/testing/folder.h"

namespace monitor::agent {
namespace {

constexpr uint64_t kKiB = 1024;

uint64_t available_kib(const std::string& text) {
  const auto info = parse_meminfo(text);
  EXPECT_TRUE(info) << text;
  return info ? info->available / kKiB : 0;
}

TEST(Meminfo, UsesMemFreeIfMemAvailableExceedsMemTotal) {
  EXPECT_EQ(available_kib("MemTotal: 998384 kB\nMemFree: 123000 kB\nMemAvailable: 98765432 kB\nCached: 7480 kB\n"),
            123'000U);
}

TEST(Meminfo, ExcludesSharedMemoryWithoutMemAvailable) {
  const std::string text = "MemTotal: 10000 kB\nMemFree: 1000 kB\nBuffers: 200 kB\nCached: 3000 kB\n";
  EXPECT_EQ(available_kib(text), 4'200U);
  EXPECT_EQ(available_kib(text + "Shmem: 2500 kB\nSReclaimable: 300 kB\n"), 2'000U);
  EXPECT_EQ(available_kib(text + "Shmem: 9000 kB\n"), 1'000U) << "never less than MemFree";
  EXPECT_EQ(available_kib("MemTotal: 10000 kB\nMemFree: 1000 kB\nCached: 99000 kB\n"), 10'000U)
      << "never more than MemTotal";
  EXPECT_EQ(available_kib(text + "MemAvailable: 0 kB\n"), 4'200U) << "the estimate of free and psutil";
}

TEST(Meminfo, CountsHugePagePoolsAsUsed) {
  EXPECT_EQ(available_kib("MemTotal: 1000000 kB\nMemFree: 400000 kB\nMemAvailable: 420000 kB\nHugePages_Total: 256\n"
                          "HugePages_Free: 256\nHugepagesize: 2048 kB\n"),
            420'000U);
}

TEST(Meminfo, RejectsInputWithoutFigures) {
  for (const char* text :
       {"", "MemTotal: 0 kB\n", "MemTotal: 1000 kB\n", "MemFree: 1000 kB\n", "MemTotal: x kB\nMemFree: 1 kB\n"}) {
    EXPECT_FALSE(parse_meminfo(text)) << text;
  }
}

class Memory : public ::testing::Test {
 protected:
  void read() {
    tick_.points.clear();
    TickBuilder out(table_, tick_);
    memory_.configure({{"memory"}, {"swap"}});
    EXPECT_TRUE(memory_.collect({}, out));
  }
  double value(const std::string& name) const { return value_of(table_, tick_, name); }
  double used() const { return value("system.memory.usage{system.memory.state=used}"); }

  Folder folder_;
  MemoryCollector memory_{folder_.roots()};
  metrics::SeriesTable table_;
  metrics::Tick tick_;
};

TEST_F(Memory, CountsTheReclaimableZfsCacheAsAvailable) {
  folder_.write("proc/meminfo", "MemTotal: 1000000 kB\nMemFree: 100000 kB\nMemAvailable: 200000 kB\n");
  const std::string head = "6 1 0x01 91 4368 52669 979518\nname                            type data\nhits 4 99\n";
  folder_.write(
      "proc/spl/kstat/zfs/arcstats",
      head + "c_min                           4    102400000\nsize                            4    512000000\n");
  read();
  EXPECT_DOUBLE_EQ(used(), 800'000.0 * 1024 - 409'600'000);
  EXPECT_DOUBLE_EQ(value("system.memory.utilization"), 0.4);
  EXPECT_DOUBLE_EQ(value("system.memory.zfs.arc.usage"), 512'000'000);
  EXPECT_DOUBLE_EQ(value("system.memory.zfs.arc.reclaimable"), 409'600'000);
  folder_.write("proc/spl/kstat/zfs/arcstats", head + "c_min 4 512000000\nsize 4 102400000\n");
  read();
  EXPECT_DOUBLE_EQ(used(), 800'000.0 * 1024) << "a cache below its minimum size gives nothing back";
  folder_.write("proc/spl/kstat/zfs/arcstats", head + "c_min 4 1\nsize 4 900000000\n");
  read();
  EXPECT_DOUBLE_EQ(used(), 800'000.0 * 1024) << "a cache larger than the used memory belongs to another host";
}

TEST_F(Memory, ReportsSwapOnlyIfItIsKnown) {
  folder_.write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 500 kB\n");
  read();
  EXPECT_TRUE(std::isnan(value("system.paging.usage{system.paging.state=used}")));
  folder_.write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 500 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
  read();
  EXPECT_DOUBLE_EQ(value("system.paging.usage{system.paging.state=used}"), 0);
  EXPECT_DOUBLE_EQ(value("system.paging.utilization{system.paging.state=used}"), 0);
  folder_.write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 500 kB\nSwapTotal: 400 kB\nSwapFree: 100 kB\n");
  read();
  EXPECT_DOUBLE_EQ(value("system.paging.utilization{system.paging.state=used}"), 0.75);
}

TEST_F(Memory, ReportsTheGroupWithTheLowestLimit) {
  folder_.write(
      "proc/meminfo",
      "MemTotal: 1000000 kB\nMemFree: 400000 kB\nMemAvailable: 600000 kB\nSwapTotal: 5000 kB\nSwapFree: 5000 kB\n");
  folder_.write("proc/self/cgroup", "0::/pods/a/agent\n");
  const std::string base = "sys/fs/cgroup/pods/";
  folder_.write(base + "a/agent/memory.max", "max\n");
  folder_.write(base + "a/memory.max", "1000000\n");
  folder_.write(base + "a/memory.current", "800000\n");
  folder_.write(base + "a/memory.stat", "anon 500000\ninactive_file 200000\nactive_file 100000\n");
  folder_.write(base + "a/memory.swap.max", "0\n");
  folder_.write(base + "a/memory.swap.current", "0\n");
  folder_.write(base + "memory.max", "5000000\n");
  read();
  EXPECT_DOUBLE_EQ(value("system.memory.utilization"), 0.4) << "the host's stay";
  EXPECT_DOUBLE_EQ(value("container.memory.limit"), 1'000'000);
  EXPECT_DOUBLE_EQ(value("container.memory.usage"), 800'000);
  EXPECT_DOUBLE_EQ(value("container.memory.working_set"), 600'000);
  EXPECT_DOUBLE_EQ(value("container.memory.utilization"), 0.6);
  EXPECT_DOUBLE_EQ(value("container.paging.limit"), 0);
  EXPECT_DOUBLE_EQ(value("container.paging.usage"), 0);
  folder_.write(base + "a/memory.max", "max\n");
  folder_.write(base + "memory.max", "max\n");
  read();
  EXPECT_TRUE(std::isnan(value("container.memory.limit"))) << "a limit can be removed at any time";
}

TEST_F(Memory, ReadsCgroupV1LimitsAtTheMountPointInAContainer) {
  folder_.write("proc/meminfo", "MemTotal: 1000000 kB\nMemFree: 400000 kB\nSwapTotal: 5000 kB\nSwapFree: 5000 kB\n");
  folder_.write("proc/self/cgroup", "9:cpu,cpuacct:/docker/0abc\n4:memory:/docker/0abc\n0::/\n");
  const std::string base = "sys/fs/cgroup/memory/memory.";
  folder_.write(base + "limit_in_bytes", "1000000\n");
  folder_.write(base + "usage_in_bytes", "500000\n");
  folder_.write(base + "stat", "inactive_file 1\ntotal_inactive_file 100000\n");
  folder_.write(base + "memsw.limit_in_bytes", "1500000\n");
  folder_.write(base + "memsw.usage_in_bytes", "600000\n");
  read();
  EXPECT_DOUBLE_EQ(value("container.memory.working_set"), 400'000);
  EXPECT_DOUBLE_EQ(value("container.paging.limit"), 500'000);
  EXPECT_DOUBLE_EQ(value("container.paging.usage"), 100'000);
  folder_.write(base + "limit_in_bytes", "9223372036854771712\n");
  read();
  EXPECT_TRUE(std::isnan(value("container.memory.limit")));
}

}  // namespace
}  // namespace monitor::agent

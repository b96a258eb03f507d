// The collector of processes on a tree of /proc: which processes have series, and faults while it reads.
// tests/truth compares the values of many hosts with an independent reference.
#include "inputs/proc/processes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <set>

#include "base/clock.h"
#include "inputs/proc/testing/folder.h"

namespace monitor::agent {
namespace {

struct Made {
  int pid;
  uint64_t cpu = 0;
  uint64_t rss = 0;
  uint64_t written = 0;
  uint64_t start = 100;
  std::string name = "p";
};

class Processes : public ::testing::Test {
 protected:
  Processes() { select(10); }

  void select(int64_t top) {
    config::MetricSelection selection{"processes"};
    selection.counts["top"] = top;
    collector_.configure({selection});
  }
  void put(const Made& one) {
    const std::string pid = std::to_string(one.pid);
    folder_.write("proc/" + pid + "/stat", pid + " (" + one.name + ") S 1 0 0 0 -1 4194304 0 0 0 0 " +
                                               std::to_string(one.cpu) + " 0 0 0 20 0 1 0 " +
                                               std::to_string(one.start) + " 0 " + std::to_string(one.rss) + " 0\n");
    folder_.write("proc/" + pid + "/io", "read_bytes: 0\nwrite_bytes: " + std::to_string(one.written) + "\n");
  }
  Status read(int64_t elapsed_ns = 5 * kNanosPerSecond) {
    folder_.write("proc/stat", "cpu  1 1\ncpu0 1 1\ncpu1 1 1\nprocesses 5\n");
    mono_ns_ += elapsed_ns;
    tick_.points.clear();
    TickBuilder out(table_, tick_);
    return collector_.collect({0, mono_ns_}, out);
  }
  // The numbers of the processes that have series.
  std::set<int> listed() const {
    std::set<int> pids;
    for (const auto& point : tick_.points) {
      const auto pid = metrics::label_value(table_.at(point.series).labels, "process.pid");
      if (!pid.empty()) pids.insert(std::stoi(std::string(pid)));
    }
    return pids;
  }
  double value(const std::string& name) const { return value_of(table_, tick_, name); }
  double of(const std::string& metric, int pid, const std::string& name = "p") const {
    const std::string owner = std::to_string(getuid());  // the tree has no /etc/passwd
    return value(metric + "{process.command=" + name + ",process.owner=" + owner +
                 ",process.pid=" + std::to_string(pid) + "}");
  }

  Folder folder_;
  metrics::SeriesTable table_;
  metrics::Tick tick_;
  std::map<std::string, int> errors_;  // errno of opening a file, by path below the tree
  // 250 ticks per second and pages of 64 KiB, as on no machine that runs this test.
  ProcessesCollector collector_{
      folder_.roots(), {250, 65'536}, [this](int folder, const char* path, char* into, size_t size) -> ssize_t {
        if (const auto error = errors_.find(path); error != errors_.end()) {
          errno = error->second;
          return -1;
        }
        const Fd fd(openat(folder, path, O_RDONLY));
        return fd.valid() ? ::read(fd.get(), into, size) : -1;
      }};
  int64_t mono_ns_ = kNanosPerSecond;
};

TEST_F(Processes, UseTheUnitsOfTheKernel) {
  put({.pid = 1, .cpu = 100, .rss = 3});
  ASSERT_TRUE(read());
  put({.pid = 1, .cpu = 100 + 625, .rss = 3});
  ASSERT_TRUE(read());
  EXPECT_DOUBLE_EQ(of("process.cpu.utilization", 1), 0.25) << "2.5 s of 5 s on two processors";
  EXPECT_DOUBLE_EQ(of("process.memory.usage", 1), 3 * 65'536);
  EXPECT_DOUBLE_EQ(value("system.process.count{process.state=sleeping}"), 1);
}

TEST_F(Processes, AProcessThatEndsWhileItIsReadIsLeftOut) {
  for (const int error : {ENOENT, ESRCH}) {
    put({.pid = 1, .rss = 1});
    put({.pid = 2, .rss = 1});
    errors_ = {{"2/stat", error}};
    ASSERT_TRUE(read());
    EXPECT_DOUBLE_EQ(value("system.process.count{process.state=sleeping}"), 1);
    errors_ = {{"2/io", error}};
    ASSERT_TRUE(read());
    EXPECT_DOUBLE_EQ(value("system.process.count{process.state=sleeping}"), 2);
  }
}

TEST_F(Processes, WithoutPermissionThereIsNoIo) {
  put({.pid = 1, .rss = 1});
  put({.pid = 2, .rss = 1});
  errors_ = {{"2/io", EACCES}};
  ASSERT_TRUE(read());
  ASSERT_TRUE(read());
  EXPECT_EQ(listed(), (std::set<int>{1, 2}));
  size_t rates = 0;
  for (const auto& point : tick_.points) {
    const metrics::Series& series = table_.at(point.series);
    if (series.name != "process.disk.io.rate") continue;
    ++rates;
    EXPECT_EQ(metrics::label_value(series.labels, "process.pid"), "1");
  }
  EXPECT_EQ(rates, 2U) << "read and write";
}

TEST_F(Processes, HiddenProcessesHaveNoTotals) {
  put({.pid = 1, .rss = 1});
  put({.pid = 2, .rss = 1});
  ASSERT_TRUE(read());
  for (const int error : {EACCES, EPERM}) {
    errors_ = {{"2/stat", error}};
    ASSERT_TRUE(read());
    EXPECT_TRUE(std::isnan(value("system.process.count{process.state=sleeping}")));
    EXPECT_EQ(listed(), std::set<int>{1});
    EXPECT_FALSE(std::isnan(value("system.process.created.rate"))) << "the kernel's own count";
  }
  errors_.clear();
  ASSERT_TRUE(read());
  EXPECT_DOUBLE_EQ(value("system.process.count{process.state=sleeping}"), 2);
}

TEST_F(Processes, ALackOfDescriptorsFailsTheReadingAndLosesNoGrowth) {
  put({.pid = 1, .cpu = 0, .rss = 1});
  put({.pid = 2, .cpu = 0, .rss = 1});
  ASSERT_TRUE(read());
  put({.pid = 1, .cpu = 1000, .rss = 1});
  for (const int error : {EMFILE, ENFILE, ENOMEM}) {
    errors_ = {{"2/stat", error}};
    const Status status = read(kNanosPerSecond);
    ASSERT_FALSE(status);
    EXPECT_NE(status.error().message().find("/proc/2/stat"), std::string::npos);
    EXPECT_TRUE(tick_.points.empty());
  }
  errors_.clear();
  ASSERT_TRUE(read(kNanosPerSecond));
  EXPECT_DOUBLE_EQ(of("process.cpu.utilization", 1), 0.5) << "4 s of 4 s on two processors";
}

TEST_F(Processes, AMissingFolderIsAnErrorUntilItIsThere) {
  Folder empty;
  ProcessesCollector collector(empty.roots());
  config::MetricSelection selection{"processes"};
  collector.configure({selection});
  TickBuilder out(table_, tick_);
  EXPECT_NE(collector.collect({0, 1}, out).error().message().find("/proc/stat"), std::string::npos);
  empty.write("proc/stat", "cpu0 1\nprocesses 1\n");
  EXPECT_TRUE(collector.collect({0, 2}, out));
  empty.remove("proc");
  empty.write("proc/stat", "cpu0 1\nprocesses 1\n");
  EXPECT_TRUE(collector.collect({0, 3}, out)) << "the kept descriptor is of the old folder";
}

TEST_F(Processes, TheOwnerIsNamedByTheHostsPasswd) {
  folder_.write("etc/passwd", "me:x:" + std::to_string(getuid()) + ":0::/:\n");
  put({.pid = 1, .rss = 1});
  ASSERT_TRUE(read());
  ASSERT_TRUE(read());
  EXPECT_FALSE(std::isnan(value("process.memory.usage{process.command=p,process.owner=me,process.pid=1}")));
}

TEST_F(Processes, AnotherProgramHasSeriesOfItsOwn) {
  put({.pid = 1, .rss = 1, .name = "bash"});
  ASSERT_TRUE(read());
  ASSERT_TRUE(read());
  EXPECT_FALSE(std::isnan(of("process.memory.usage", 1, "bash")));
  put({.pid = 1, .rss = 2, .name = "vi\x01\xFF"});
  ASSERT_TRUE(read());
  EXPECT_TRUE(std::isnan(of("process.memory.usage", 1, "bash")));
  EXPECT_DOUBLE_EQ(of("process.memory.usage", 1, "vi\uFFFD\uFFFD"), 2 * 65'536);
}

// 200 processes, each of which works in one reading of 20.
TEST_F(Processes, SeriesAreBoundedOnAHostWhereOthersWorkEachTime) {
  select(3);
  put({.pid = 1});
  std::vector<Made> all(200);
  for (int i = 0; i < 200; ++i) all[static_cast<size_t>(i)].pid = 10 + i;
  std::set<int> ever;
  for (int reading = 0; reading <= 240; ++reading) {
    for (Made& one : all) {
      if (one.pid % 20 != reading % 20 && reading > 0) continue;
      one.cpu += 100;
      put(one);
    }
    ASSERT_TRUE(read());
    const auto now = listed();
    EXPECT_LE(now.size(), 12U) << "four times the places of a ranking";
    ever.insert(now.begin(), now.end());
  }
  EXPECT_LE(ever.size(), 9U) << "those of the first list; nobody was at the top twice in succession";
}

// The order of the processes by CPU time changes in every second reading.
TEST_F(Processes, AtMostAsManyEnterPerMinuteAsThereArePlaces) {
  select(2);
  put({.pid = 1});
  std::vector<Made> all(100);
  for (int i = 0; i < 100; ++i) all[static_cast<size_t>(i)].pid = 10 + i;
  std::set<int> ever;
  for (int reading = 0; reading <= 120; ++reading) {  // 10 minutes
    for (Made& one : all) {
      if (one.pid / 2 % 50 != reading / 2 % 50 && reading > 0) continue;
      one.cpu += 100;
      put(one);
    }
    ASSERT_TRUE(read());
    const auto now = listed();
    ever.insert(now.begin(), now.end());
  }
  EXPECT_GE(ever.size(), 15U);
  EXPECT_LE(ever.size(), 2U + 2U + 10 * 2U) << "the first list, the credit at the start, and two each minute";
}

TEST_F(Processes, OneStaysForTwelveReadingsAfterItsLastWork) {
  select(1);
  put({.pid = 1});
  put({.pid = 7});
  ASSERT_TRUE(read());
  put({.pid = 7, .cpu = 5});
  ASSERT_TRUE(read());
  for (int reading = 1; reading <= 12; ++reading) {
    ASSERT_TRUE(read());
    EXPECT_EQ(listed(), std::set<int>{7}) << reading;
  }
  ASSERT_TRUE(read());
  EXPECT_EQ(listed(), std::set<int>{});
  const auto used = table_.size();
  put({.pid = 7, .cpu = 10});
  ASSERT_TRUE(read());
  put({.pid = 7, .cpu = 15});
  ASSERT_TRUE(read());
  EXPECT_EQ(listed(), std::set<int>{7}) << "it worked in two successive readings";
  EXPECT_EQ(table_.size(), used) << "its series are the same as before";
}

TEST_F(Processes, ProcessesThatEndLeaveAtOnceAndNewNumbersAreOthers) {
  put({.pid = 1});
  put({.pid = 7, .cpu = 100, .rss = 5});
  ASSERT_TRUE(read());
  ASSERT_TRUE(read());
  EXPECT_EQ(listed(), std::set<int>{7});
  folder_.remove("proc/7");
  ASSERT_TRUE(read());
  EXPECT_EQ(listed(), std::set<int>{});
  put({.pid = 7, .cpu = 2500, .rss = 5, .start = 500});
  ASSERT_TRUE(read());
  EXPECT_EQ(listed(), std::set<int>{}) << "at the top once";
  ASSERT_TRUE(read());
  EXPECT_DOUBLE_EQ(of("process.cpu.utilization", 7), 0);
}

TEST_F(Processes, AFullTableOfSeriesDropsPointsAndRecovers) {
  metrics::SeriesTable small(6);
  put({.pid = 1, .rss = 1});
  ASSERT_TRUE(read());
  TickBuilder out(small, tick_);
  mono_ns_ += kNanosPerSecond;
  collector_.forget_series();
  ASSERT_TRUE(collector_.collect({0, mono_ns_}, out));
  EXPECT_EQ(out.over_cardinality(), 4U) << "five states and one rate had room";
}

TEST_F(Processes, GroupsHaveSumsAndStayWhenNobodyMatches) {
  config::MetricSelection selection{"processes"};
  selection.counts["top"] = 0;
  selection.flags.insert("per_user");
  selection.patterns["groups"] = {"post*", "nginx"};
  collector_.configure({selection});
  put({.pid = 1, .cpu = 5, .rss = 1});
  put({.pid = 2, .cpu = 0, .rss = 2, .name = "postgres"});
  put({.pid = 3, .cpu = 0, .rss = 3, .name = "postmaster"});
  ASSERT_TRUE(read());
  put({.pid = 2, .cpu = 250, .rss = 2, .written = 1000, .name = "postgres"});
  put({.pid = 3, .cpu = 375, .rss = 3, .written = 500, .name = "postmaster"});
  ASSERT_TRUE(read());
  const std::string name = "system.process.group.";
  EXPECT_DOUBLE_EQ(value(name + "count{process.group=post*}"), 2);
  EXPECT_DOUBLE_EQ(value(name + "cpu.utilization{process.group=post*}"), 0.25);
  EXPECT_DOUBLE_EQ(value(name + "memory.usage{process.group=post*}"), 5 * 65'536);
  EXPECT_DOUBLE_EQ(value(name + "disk.io.rate{disk.io.direction=write,process.group=post*}"), 300);
  EXPECT_DOUBLE_EQ(value(name + "count{process.group=nginx}"), 0);
  EXPECT_DOUBLE_EQ(value(name + "disk.io.rate{disk.io.direction=write,process.group=nginx}"), 0);
  const std::string owner = std::to_string(getuid());
  EXPECT_DOUBLE_EQ(value(name + "count{process.owner=" + owner + "}"), 3);
  errors_ = {{"3/io", EACCES}};
  ASSERT_TRUE(read());
  EXPECT_TRUE(std::isnan(value(name + "disk.io.rate{disk.io.direction=write,process.group=post*}")));
  EXPECT_DOUBLE_EQ(value(name + "disk.io.rate{disk.io.direction=write,process.group=nginx}"), 0);
  errors_ = {{"3/stat", EACCES}};
  ASSERT_TRUE(read());
  EXPECT_TRUE(std::isnan(value(name + "count{process.group=post*}"))) << "of some of them is no sum";
}

TEST_F(Processes, AnotherScheduleTakesOverTheBaselines) {
  put({.pid = 1, .cpu = 10, .rss = 1, .written = 5});
  ASSERT_TRUE(read());
  ProcessesCollector other(folder_.roots(), {250, 65'536});
  config::MetricSelection selection{"processes"};
  other.configure({selection});
  other.adopt(collector_);
  put({.pid = 1, .cpu = 10 + 250, .rss = 1, .written = 505});
  mono_ns_ += kNanosPerSecond;
  tick_.points.clear();
  TickBuilder out(table_, tick_);
  ASSERT_TRUE(other.collect({0, mono_ns_}, out));
  EXPECT_DOUBLE_EQ(of("process.cpu.utilization", 1), 0.5);
}

TEST(ProcessorShare, IsExactForLargeNumbersAndAtMostOne) {
  EXPECT_EQ(processor_share(1, 100, kNanosPerSecond, 1), 10'000);
  EXPECT_EQ(processor_share(1, 100, 86'400 * kNanosPerSecond, 4096), 0);
  EXPECT_EQ(processor_share(UINT64_MAX, 100, INT64_MAX, 4096), 1'000'000);
  EXPECT_EQ(processor_share(3, 1000, 3 * kNanosPerSecond, 2), 500);
  EXPECT_EQ(processor_share(1, 100, 40'000 * kNanosPerSecond, 5), 0) << "0.05 of a step";
  EXPECT_EQ(processor_share(10, 100, 40'000 * kNanosPerSecond, 5), 1) << "half a step is rounded up";
  EXPECT_EQ(processor_share(5, 0, kNanosPerSecond, 1), 0);
  EXPECT_EQ(processor_share(5, 100, 0, 1), 0);
}

}  // namespace
}  // namespace monitor::agent

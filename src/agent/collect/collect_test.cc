// Parsers on odd input, collectors whose files are missing, rates over jumping clocks.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "agent/collect/cpu.h"
#include "agent/collect/disk.h"
#include "agent/collect/load.h"
#include "agent/collect/memory.h"
#include "agent/collect/mountinfo.h"
#include "agent/collect/net.h"
#include "agent/collect/pressure.h"
#include "agent/collect/source.h"
#include "base/random.h"

namespace monitor::agent {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string pattern = fs::temp_directory_path().string() + "/collect-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(path_ + "/" + name).parent_path());
    std::ofstream(path_ + "/" + name) << text;
  }
  Roots roots() const { return {path_ + "/proc", path_ + "/sys"}; }

 private:
  std::string path_;
};

// The value of a series in a tick; NaN if it is not there.
double value_of(const metrics::SeriesTable& table, const metrics::Tick& tick, const std::string& name) {
  for (const auto& point : tick.points) {
    if (metrics::to_string(table.at(point.series)) == name) return table.value(point);
  }
  return std::nan("");
}

TEST(Parsers, OddInputIsAnErrorAndNeverACrash) {
  std::vector<CpuLine> cpus;
  std::vector<DiskLine> disks;
  std::vector<InterfaceLine> interfaces;
  for (const std::string text : {"", "\n", "x", "cpu", "cpu  1 2 3", "cpu  -1 2 3 4", "cpux 1 2 3 4",
                                 "cpu  99999999999999999999 1 1 1", "\xFF\xFE", "cpu0 1 2 3 4 5\n"}) {
    EXPECT_FALSE(parse_stat(text, cpus)) << text;
    EXPECT_FALSE(parse_meminfo(text)) << text;
    EXPECT_FALSE(parse_loadavg(text)) << text;
    EXPECT_FALSE(parse_uptime(text)) << text;
    EXPECT_FALSE(parse_pressure(text)) << text;
  }
  EXPECT_TRUE(parse_diskstats("", disks)) << "a host without disks";
  EXPECT_FALSE(parse_diskstats("8 0 sda not numbers\n", disks));
  EXPECT_TRUE(parse_net_dev("head\nhead\n", interfaces)) << "a namespace without interfaces";
  EXPECT_FALSE(parse_net_dev("head\nhead\nno colon here\n", interfaces));
}

TEST(Parsers, RandomBytesNeverCrash) {
  SeededRandom random(7);
  const std::string alphabet = "cpu 0123456789\n:.-=somefulltotal\t\xFF";
  for (int round = 0; round < 5'000; ++round) {
    std::string text;
    const size_t size = random.below(200);
    for (size_t i = 0; i < size; ++i) text += alphabet[random.below(alphabet.size())];
    std::vector<CpuLine> cpus;
    std::vector<DiskLine> disks;
    std::vector<InterfaceLine> interfaces;
    (void)parse_stat(text, cpus);
    (void)parse_meminfo(text);
    (void)parse_diskstats(text, disks);
    (void)parse_net_dev(text, interfaces);
    (void)parse_loadavg(text);
    (void)parse_uptime(text);
    (void)parse_pressure(text);
    (void)visible_mounts(parse_mountinfo(text));
  }
}

TEST(Cpu, OldKernelsHaveFewerColumns) {
  std::vector<CpuLine> lines;
  ASSERT_TRUE(parse_stat("cpu  1 2 3 4\ncpu0 1 2 3 4\n", lines));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].times.modes[CpuTimes::kIdle], 4U);
  EXPECT_EQ(lines[0].times.modes[CpuTimes::kSteal], 0U);
}

TEST(Cpu, NoJiffyPassedIsNoValueAndKeepsTheBaseline) {
  Folder folder;
  folder.write("proc/stat", "cpu  100 0 0 100\n");
  CpuCollector cpu(folder.roots());
  cpu.configure({{"cpu"}});
  metrics::SeriesTable table;
  const auto read = [&] {
    metrics::Tick tick;
    TickBuilder out(table, tick);
    EXPECT_TRUE(cpu.collect({}, out));
    return value_of(table, tick, "system.cpu.utilization");
  };
  EXPECT_TRUE(std::isnan(read()));
  EXPECT_TRUE(std::isnan(read())) << "the same jiffies";
  folder.write("proc/stat", "cpu  101 0 0 103\n");
  EXPECT_DOUBLE_EQ(read(), 0.25);
}

TEST(Source, MissingFilesDisableTheirCollectorsAlone) {
  Folder folder;
  folder.write("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 400 kB\n");
  FakeClock clock;
  metrics::SeriesTable table;
  HostSource source(folder.roots(), table, clock);
  source.configure(
      1, {{"cpu"}, {"memory"}, {"disk read"}, {"net in"}, {"load"}, {"uptime"}, {"pressure"}, {"filesystem"}});
  source.baseline({1, 1});
  metrics::Tick tick;
  source.collect(1, {clock.wall_ns(), clock.mono_ns()}, tick);
  EXPECT_EQ(tick.points.size(), 3U);
  EXPECT_DOUBLE_EQ(value_of(table, tick, "system.memory.utilization"), 0.6);
  const auto states = source.states();
  EXPECT_NE(states.at("cpu").error.find("/proc/stat"), std::string::npos);
  EXPECT_EQ(states.at("memory").error, "");
  // What comes back works again.
  folder.write("proc/loadavg", "1.00 2.00 3.00 1/2 3\n");
  tick.points.clear();
  source.collect(1, {clock.wall_ns(), clock.mono_ns()}, tick);
  EXPECT_DOUBLE_EQ(value_of(table, tick, "system.cpu.load_average.15m"), 3.0);
}

TEST(Source, AJumpingWallClockSpoilsNoRate) {
  Folder folder;
  folder.write("proc/net/dev", "a\nb\neth0: 1000 0 0 0 0 0 0 0 5000 0\n");
  FakeClock clock;
  metrics::SeriesTable table;
  HostSource source(folder.roots(), table, clock);
  source.configure(1, {{"net in"}, {"net out"}});
  source.baseline({clock.wall_ns(), clock.mono_ns()});
  folder.write("proc/net/dev", "a\nb\neth0: 3000 0 0 0 0 0 0 0 5500 0\n");
  clock.advance(500 * kNanosPerMilli);
  clock.step_wall(-3600 * kNanosPerSecond);
  metrics::Tick tick;
  source.collect(1, {clock.wall_ns(), clock.mono_ns()}, tick);
  EXPECT_DOUBLE_EQ(value_of(table, tick, "system.network.io.rate{network.io.direction=receive}"), 4000);
  EXPECT_DOUBLE_EQ(value_of(table, tick, "system.network.io.rate{network.io.direction=transmit}"), 1000);
}

TEST(Source, CountersAreAddedOnRequest) {
  Folder folder;
  folder.write("proc/diskstats", "8 0 sda 1 0 10 0 1 0 20 0 0 0 0\n");
  FakeClock clock;
  metrics::SeriesTable table;
  HostSource source(folder.roots(), table, clock);
  config::MetricSelection read{"disk read"};
  read.counters = true;
  read.per_device = true;
  source.configure(1, {read});
  source.baseline({clock.wall_ns(), clock.mono_ns()});
  clock.advance(kNanosPerSecond);
  metrics::Tick tick;
  source.collect(1, {clock.wall_ns(), clock.mono_ns()}, tick);
  EXPECT_DOUBLE_EQ(value_of(table, tick, "system.disk.io{disk.io.direction=read}"), 5120);
  EXPECT_DOUBLE_EQ(value_of(table, tick, "system.disk.io{disk.io.direction=read,system.device=sda}"), 5120);
  EXPECT_DOUBLE_EQ(value_of(table, tick, "system.disk.io.rate{disk.io.direction=read}"), 0);
}

TEST(Source, ChangingOptionsKeepsBaselines) {
  Folder folder;
  folder.write("proc/diskstats", "8 0 sda 1 0 10 0 1 0 20 0 0 0 0\n");
  FakeClock clock;
  metrics::SeriesTable table;
  HostSource source(folder.roots(), table, clock);
  source.configure(1, {{"disk read"}});
  source.baseline({clock.wall_ns(), clock.mono_ns()});
  config::MetricSelection each{"disk read"};
  each.per_device = true;
  source.configure(1, {each, {"disk write"}});
  source.baseline({clock.wall_ns(), clock.mono_ns()});
  folder.write("proc/diskstats", "8 0 sda 1 0 14 0 1 0 22 0 0 0 0\n");
  clock.advance(kNanosPerSecond);
  metrics::Tick tick;
  source.collect(1, {clock.wall_ns(), clock.mono_ns()}, tick);
  EXPECT_DOUBLE_EQ(value_of(table, tick, "system.disk.io.rate{disk.io.direction=read}"), 2048);
  EXPECT_DOUBLE_EQ(value_of(table, tick, "system.disk.io.rate{disk.io.direction=write}"), 1024);
  EXPECT_DOUBLE_EQ(value_of(table, tick, "system.disk.io.rate{disk.io.direction=read,system.device=sda}"), 2048);
}

TEST(Source, PatternsChooseAndWhatComesBackBeginsAnew) {
  Folder folder;
  FakeClock clock;
  metrics::SeriesTable table;
  HostSource source(folder.roots(), table, clock);
  const auto write = [&](int lo, int eth0, int eth1) {
    const auto line = [](const char* name, int bytes) {
      return std::string(name) + ": " + std::to_string(bytes) + " 0 0 0 0 0 0 0 0 0\n";
    };
    folder.write("proc/net/dev", "a\nb\n" + line("lo", lo) + line("eth0", eth0) + line("eth1", eth1));
  };
  const auto received = [&] {
    clock.advance(kNanosPerSecond);
    metrics::Tick tick;
    source.collect(1, {clock.wall_ns(), clock.mono_ns()}, tick);
    return value_of(table, tick, "system.network.io.rate{network.io.direction=receive}");
  };
  const config::MetricSelection usual{"net in"};
  config::MetricSelection loopback{"net in"};
  loopback.include = {"l?"};
  config::MetricSelection without{"net in"};
  without.exclude = {"*1"};
  write(0, 0, 0);
  source.configure(1, {loopback});
  source.baseline({clock.wall_ns(), clock.mono_ns()});
  write(1000, 20, 300);
  EXPECT_DOUBLE_EQ(received(), 1000) << "what is included alone, though it counts for nothing by itself";
  source.configure(1, {without});
  write(51'000, 40, 600);
  EXPECT_DOUBLE_EQ(received(), 20) << "all but what is excluded";
  source.configure(1, {usual});
  write(101'000, 60, 900);
  EXPECT_DOUBLE_EQ(received(), 320);
  source.configure(1, {loopback});
  write(151'000, 80, 1200);
  EXPECT_DOUBLE_EQ(received(), 0) << "what it did while nobody asked is no rate";
  write(152'000, 100, 1500);
  EXPECT_DOUBLE_EQ(received(), 1000);
}

TEST(Source, FullSeriesTableIsCounted) {
  Folder folder;
  std::string text;
  for (int i = 0; i < 50; ++i) text += "8 0 sd" + std::to_string(i) + "x 1 0 10 0 1 0 20 0 0 0 0\n";
  folder.write("proc/diskstats", text);
  FakeClock clock;
  metrics::SeriesTable table(20);
  HostSource source(folder.roots(), table, clock);
  config::MetricSelection each{"disk read"};
  each.per_device = true;
  source.configure(1, {each});
  source.baseline({clock.wall_ns(), clock.mono_ns()});
  clock.advance(kNanosPerSecond);
  metrics::Tick tick;
  const uint64_t over = source.collect(1, {clock.wall_ns(), clock.mono_ns()}, tick);
  EXPECT_EQ(over + tick.points.size(), 51U) << "50 disks and the sum";
  EXPECT_GT(over, 0U);
}

TEST(Simulated, SameSeedSameValues) {
  const auto run = [](uint64_t seed) {
    metrics::SeriesTable table;
    SimulatedSource source(seed, table);
    source.configure(1, {{"cpu"}, {"memory"}, {"disk read"}, {"net out"}, {"load"}, {"pressure"}});
    source.baseline({0, 1});
    std::vector<double> values;
    for (int i = 1; i < 50; ++i) {
      metrics::Tick tick;
      source.collect(1, {i * kNanosPerSecond, i * kNanosPerSecond}, tick);
      for (const auto& point : tick.points) values.push_back(table.value(point));
    }
    return values;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

}  // namespace
}  // namespace monitor::agent

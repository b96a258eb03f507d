// Parsers with odd input, collectors with missing files, and rates across clock jumps.
#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "inputs/proc/cpu.h"
#include "inputs/proc/disk.h"
#include "inputs/proc/host_source.h"
#include "inputs/proc/load.h"
#include "inputs/proc/memory.h"
#include "inputs/proc/mountinfo.h"
#include "inputs/proc/net.h"
#include "inputs/proc/pressure.h"
#include "inputs/proc/testing/folder.h"
#include "inputs/simulated/simulated.h"

namespace monitor::agent {
namespace {

TEST(Parsers, RejectOddInput) {
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

TEST(Parsers, SurviveRandomBytes) {
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

TEST(Load, ParsesAnyNumberOfDecimals) {
  const auto uptime = [](std::string_view text) {
    const auto value = parse_uptime(text);
    return value ? *value : -1;
  };
  EXPECT_EQ(uptime("41.0 41.0\n"), 4100);
  EXPECT_EQ(uptime("11752 0\n"), 1'175'200);
  EXPECT_EQ(uptime("350735.47 234388.90\n"), 35'073'547);
  EXPECT_EQ(uptime("7.4567 1"), 746);
  const auto loads = parse_loadavg("0.5 2 3.14159 1/20 300\n");
  ASSERT_TRUE(loads);
  EXPECT_EQ(*loads, (std::array<int64_t, 3>{50, 200, 314}));
  for (const char* text : {"", "\n", ".5 1 1", "-1.0", "1.x", "1.-5", "nan", "99999999999999999999.0", "1,5"}) {
    EXPECT_FALSE(parse_uptime(text)) << text;
  }
}

TEST(Source, MissingFilesDisableOnlyTheirCollectors) {
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
  // A file that appears again is read again.
  folder.write("proc/loadavg", "1.00 2.00 3.00 1/2 3\n");
  tick.points.clear();
  source.collect(1, {clock.wall_ns(), clock.mono_ns()}, tick);
  EXPECT_DOUBLE_EQ(value_of(table, tick, "system.cpu.load_average.15m"), 3.0);
}

TEST(Source, WallClockJumpsDoNotAffectRates) {
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

TEST(Source, AddsCountersIfSelected) {
  Folder folder;
  folder.write("proc/diskstats", "8 0 sda 1 0 10 0 1 0 20 0 0 0 0\n");
  FakeClock clock;
  metrics::SeriesTable table;
  HostSource source(folder.roots(), table, clock);
  config::MetricSelection read{"disk read"};
  read.flags = {"counters", "per_device"};
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
  each.flags.insert("per_device");
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

TEST(Source, PatternsChooseTheMembersOfTheSum) {
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
  EXPECT_DOUBLE_EQ(received(), 1000) << "an included interface counts even if it would not by default";
  source.configure(1, {without});
  write(51'000, 40, 600);
  EXPECT_DOUBLE_EQ(received(), 20) << "everything except what is excluded";
  source.configure(1, {usual});
  write(101'000, 60, 900);
  EXPECT_DOUBLE_EQ(received(), 320);
  source.configure(1, {loopback});
  write(151'000, 80, 1200);
  EXPECT_DOUBLE_EQ(received(), 50'000) << "its counter was read before it was selected";
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
  each.flags.insert("per_device");
  source.configure(1, {each});
  source.baseline({clock.wall_ns(), clock.mono_ns()});
  clock.advance(kNanosPerSecond);
  metrics::Tick tick;
  const uint64_t over = source.collect(1, {clock.wall_ns(), clock.mono_ns()}, tick);
  EXPECT_EQ(over + tick.points.size(), 51U) << "50 disks and the sum";
  EXPECT_GT(over, 0U);
}

TEST(Simulated, SameSeedGivesTheSameValues) {
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

TEST(Simulated, PartsAddUpToTheSum) {
  metrics::SeriesTable table;
  SimulatedSource source(3, table);
  config::MetricSelection cpu{"cpu"};
  cpu.flags = {"per_core", "modes"};
  config::MetricSelection disk{"disk read"};
  disk.flags = {"per_device", "counters"};
  config::MetricSelection filesystem{"filesystem"};
  filesystem.flags.insert("per_filesystem");
  source.configure(1, {cpu, disk, filesystem});
  source.baseline({0, 1});
  double counted = 0;
  for (int second = 1; second < 30; ++second) {
    metrics::Tick tick;
    source.collect(1, {second * kNanosPerSecond, second * kNanosPerSecond}, tick);
    const auto value = [&](const std::string& name) { return value_of(table, tick, name); };
    double cores = 0;
    for (int core = 0; core < 4; ++core)
      cores += value("system.cpu.utilization{cpu.logical_number=" + std::to_string(core) + "}");
    EXPECT_NEAR(cores / 4, value("system.cpu.utilization"), 0.0002);
    EXPECT_NEAR(value("system.cpu.utilization{cpu.mode=idle}"), 1 - value("system.cpu.utilization"), 0.0002);
    const double rate = value("system.disk.io.rate{disk.io.direction=read}");
    EXPECT_NEAR(value("system.disk.io.rate{disk.io.direction=read,system.device=sda}") +
                    value("system.disk.io.rate{disk.io.direction=read,system.device=sdb}"),
                rate, 1);
    if (second > 1) counted += rate;
    EXPECT_NEAR(value("system.disk.io{disk.io.direction=read}"), counted, 1);
    EXPECT_FALSE(
        std::isnan(value("system.filesystem.utilization{system.device=/dev/sda1,system.filesystem.mountpoint=/,"
                         "system.filesystem.type=ext4}")));
  }
}

TEST(Simulated, GeneratesEveryDeclaredMetric) {
  // Metrics that a host has only with ZFS, in a container, or on filesystems that count inodes.
  const auto conditional = [](std::string_view selector, std::string_view name) {
    return (name.starts_with("container.") && selector != "containers") ||
           name.find(".zfs.") != std::string_view::npos || name.find(".inodes.") != std::string_view::npos;
  };
  for (const metrics::CollectorSpec* const collector : metrics::collectors()) {
    for (const metrics::SelectorSpec& selector : collector->selectors) {
      config::MetricSelection selection{std::string(selector.name)};
      for (const auto& option : selector.options) {
        if (option.type == metrics::OptionSpec::Type::kFlag) selection.flags.emplace(option.name);
      }
      metrics::SeriesTable table;
      SimulatedSource source(1, table);
      source.configure(1, {selection});
      source.baseline({0, 1});
      metrics::Tick tick;
      source.collect(1, {kNanosPerSecond, kNanosPerSecond}, tick);
      std::set<std::string> made;
      for (const auto& point : tick.points) {
        const metrics::Series& series = table.at(point.series);
        EXPECT_EQ(series, metrics::declared_series(series.name, series.labels));
        made.insert(series.name);
      }
      for (const metrics::MetricSpec* const metric : metrics::metrics_of(selector.name)) {
        EXPECT_EQ(made.contains(std::string(metric->name)), !conditional(selector.name, metric->name)) << metric->name;
      }
    }
  }
}

TEST(Simulated, OmitsExcludedDevices) {
  metrics::SeriesTable table;
  SimulatedSource source(3, table);
  config::MetricSelection net{"net in"};
  net.flags.insert("per_interface");
  net.exclude = {"eth1"};
  source.configure(1, {net});
  metrics::Tick tick;
  source.collect(1, {0, 1}, tick);
  EXPECT_EQ(tick.points.size(), 2U) << "the sum and eth0";
  EXPECT_EQ(value_of(table, tick, "system.network.io.rate{network.io.direction=receive}"),
            value_of(table, tick, "system.network.io.rate{network.interface.name=eth0,network.io.direction=receive}"));
}

}  // namespace
}  // namespace monitor::agent

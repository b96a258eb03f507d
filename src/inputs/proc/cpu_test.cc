// Shares of processor time. The expected figures are the percentages that psutil.cpu_times_percent and mpstat print for
// the same two readings.
#include "inputs/proc/cpu.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/clock.h"
#include "inputs/proc/testing/folder.h"

namespace monitor::agent {
namespace {

const int64_t kHz = sysconf(_SC_CLK_TCK);

class Cpu : public ::testing::Test {
 protected:
  void configure(bool per_core = true, bool modes = false) {
    config::MetricSelection one{"cpu"};
    if (per_core) one.flags.insert("per_core");
    if (modes) one.flags.insert("modes");
    cpu_.configure({one});
  }
  // One reading, `seconds` after the previous one.
  void read(const std::string& stat, double seconds = 1) {
    folder_.write("proc/stat", stat);
    mono_ns_ += static_cast<int64_t>(seconds * 1e9);
    tick_.points.clear();
    TickBuilder out(table_, tick_);
    const auto status = cpu_.collect({0, mono_ns_}, out);
    EXPECT_TRUE(status) << status.error().message();
  }
  double host() const { return value_of(table_, tick_, "system.cpu.utilization"); }
  double host(const std::string& mode) const {
    return value_of(table_, tick_, "system.cpu.utilization{cpu.mode=" + mode + "}");
  }
  double core(int number) const {
    return value_of(table_, tick_, "system.cpu.utilization{cpu.logical_number=" + std::to_string(number) + "}");
  }

  Folder folder_;
  CpuCollector cpu_{folder_.roots()};
  metrics::SeriesTable table_{100'000};
  metrics::Tick tick_;
  int64_t mono_ns_ = kNanosPerSecond;
};

TEST_F(Cpu, CountsGuestTimeOnceAndAsBusy) {
  configure(false, true);
  read("cpu  100000 200 5000 900000 0 0 0 0 90000 100\n");
  read("cpu  100050 210 5002 900038 0 0 0 0 90050 110\n");
  EXPECT_DOUBLE_EQ(host(), 0.62);
  EXPECT_DOUBLE_EQ(host("user"), 0.5);
  EXPECT_DOUBLE_EQ(host("nice"), 0.1);
  EXPECT_DOUBLE_EQ(host("idle"), 0.38);
}

TEST_F(Cpu, CountsStolenTimeAsBusy) {
  configure(false, true);
  read("cpu  0 0 0 0 0 0 0 0 0 0\n");
  read("cpu  10 0 10 40 10 5 5 20 0 0\n");
  EXPECT_DOUBLE_EQ(host(), 0.5);
  EXPECT_DOUBLE_EQ(host("steal"), 0.2);
  EXPECT_DOUBLE_EQ(host("iowait"), 0.1);
}

TEST_F(Cpu, ReadsOldKernelsWithFewerColumns) {
  configure();
  read("cpu  1 2 3 4\ncpu0 1 2 3 4\n");
  read("cpu  21 7 8 74\ncpu0 21 7 8 74\n");
  EXPECT_DOUBLE_EQ(host(), 0.3);
  EXPECT_DOUBLE_EQ(core(0), 0.3);
}

TEST_F(Cpu, IgnoresColumnsAndLinesOfNewerKernels) {
  configure();
  read("version 9\ncpu  0 0 0 0 0 0 0 0 0 0 7 7\ncpu0 0 0 0 0 0 0 0 0 0 0 7 7\nintr 1\n");
  read("version 9\ncpu  25 0 0 75 0 0 0 0 0 0 8 9\ncpu0 25 0 0 75 0 0 0 0 0 0 8 9\nintr 1\n");
  EXPECT_DOUBLE_EQ(host(), 0.25);
}

TEST_F(Cpu, HasNoValueAndKeepsTheBaselineIfNoTickPassed) {
  configure();
  read("cpu  100 0 0 100\n");
  read("cpu  100 0 0 100\n", 0.01);
  EXPECT_TRUE(std::isnan(host()));
  read("cpu  101 0 0 103\n", 0.03);
  EXPECT_DOUBLE_EQ(host(), 0.25);
}

TEST_F(Cpu, CountsASmallFallAsNoGrowth) {
  configure(true, true);
  const std::string before = " 1000 10 500 90000 300 20 30 50 0 0\n";
  read("cpu " + before + "cpu0" + before);
  // idle, iowait, user and steal fall by rounding, one after the other; the other counters grow by the elapsed time.
  const std::string after[] = {" 1060 10 520 89999 320 20 30 50 0 0\n", " 1110 10 540 90019 318 20 30 50 0 0\n",
                               " 1108 10 600 90060 318 20 30 50 0 0\n", " 1138 10 600 90130 318 20 30 49 0 0\n"};
  const double busy[] = {80.0 / 100, 70.0 / 90, 60.0 / 101, 30.0 / 100};
  for (int i = 0; i < 4; ++i) {
    read("cpu " + after[i] + "cpu0" + after[i]);
    EXPECT_NEAR(host(), busy[i], 0.00005) << after[i];
    EXPECT_NEAR(core(0), busy[i], 0.00005) << after[i];
    double sum = 0;
    for (const char* mode : {"user", "nice", "system", "idle", "iowait", "interrupt", "softirq", "steal"})
      sum += host(mode);
    EXPECT_NEAR(sum, 1, 0.0004);
  }
}

TEST_F(Cpu, HasNoValueIfIdleFallsFar) {
  configure();
  const std::string before = " 1466797 6445 708626 6221847 7998 0 8095 0 0 0\n";
  const std::string after = " 1466867 6445 708691 5873386 7624 0 8095 0 0 0\n";
  read("cpu " + before + "cpu0" + before);
  read("cpu " + after + "cpu0" + after, 7);
  EXPECT_TRUE(std::isnan(host())) << "after suspend and resume";
  EXPECT_TRUE(std::isnan(core(0)));
  const std::string later = " 1466887 6445 708691 5873466 7624 0 8095 0 0 0\n";
  read("cpu " + later + "cpu0" + later);
  EXPECT_DOUBLE_EQ(host(), 0.2);
}

TEST_F(Cpu, HasNoValueIfAFallHidesElapsedTime) {
  configure();
  const auto line = [](int64_t user, int64_t idle) {
    const std::string text = " " + std::to_string(user) + " 0 0 " + std::to_string(idle) + " 0 0 0 0\n";
    return "cpu " + text + "cpu0" + text;
  };
  read(line(1000, 100 * kHz));
  read(line(1003, 98 * kHz));
  EXPECT_TRUE(std::isnan(host())) << "only 3 ticks of the elapsed second are known, which is not 100 % busy";
  read(line(1003 + kHz / 4, 98 * kHz + 3 * kHz / 4));
  EXPECT_DOUBLE_EQ(host(), 0.25);
}

TEST_F(Cpu, HasNoValueIfGrowthExceedsElapsedTime) {
  configure();
  const auto line = [](int64_t user, int64_t idle, const std::string& steal = "0") {
    const std::string text = " " + std::to_string(user) + " 0 0 " + std::to_string(idle) + " 0 0 0 " + steal + "\n";
    return "cpu " + text + "cpu0" + text;
  };
  read(line(1000, 1000));
  read(line(1050, 1000 + 2000 * kHz));
  EXPECT_TRUE(std::isnan(host())) << "2,000 s of idle in 1 s";
  read(line(1050, 1000 + 2000 * kHz, "18446744073709551000"));
  EXPECT_TRUE(std::isnan(host())) << "the hypervisor reported a negative steal time";
}

TEST_F(Cpu, ReturningProcessorMakesTheSumUnknownForOneTick) {
  configure();
  const auto line = [](const std::string& name, int64_t busy, int64_t idle) {
    return name + " " + std::to_string(busy) + " 0 0 " + std::to_string(idle) + " 0 0 0 0\n";
  };
  read(line("cpu ", 2000, 2000) + line("cpu0", 1000, 1000) + line("cpu1", 1000, 1000));
  read(line("cpu ", 2100, 2100) + line("cpu0", 1050, 1050) + line("cpu1", 1050, 1050));
  EXPECT_DOUBLE_EQ(host(), 0.5);
  // Processor 1 goes offline; the sum keeps the time that it has counted.
  read(line("cpu ", 2150, 2150) + line("cpu0", 1100, 1100));
  EXPECT_DOUBLE_EQ(host(), 0.5);
  EXPECT_TRUE(std::isnan(core(1)));
  // It comes back, and its idle time restarts.
  read(line("cpu ", 2225, 1175) + line("cpu0", 1175, 1125) + line("cpu1", 1050, 50));
  EXPECT_TRUE(std::isnan(host()));
  EXPECT_DOUBLE_EQ(core(0), 0.75);
  EXPECT_TRUE(std::isnan(core(1))) << "its time while offline does not belong to this tick";
  read(line("cpu ", 2275, 1325) + line("cpu0", 1200, 1200) + line("cpu1", 1075, 125));
  EXPECT_DOUBLE_EQ(host(), 0.25);
  EXPECT_DOUBLE_EQ(core(1), 0.25);
}

TEST_F(Cpu, JumpOfAProcessorMakesOnlyItAndTheSumUnknown) {
  configure();
  const auto read_both = [&](int64_t idle0, int64_t idle1, double seconds) {
    read("cpu  0 0 0 " + std::to_string(idle0 + idle1) + "\ncpu0 0 0 0 " + std::to_string(idle0) + "\ncpu1 0 0 0 " +
             std::to_string(idle1) + "\n",
         seconds);
  };
  read_both(1000 * kHz, 1000 * kHz, 1);
  read_both(1010 * kHz, 995 * kHz, 10);
  EXPECT_DOUBLE_EQ(core(0), 0);
  EXPECT_TRUE(std::isnan(core(1)));
  EXPECT_TRUE(std::isnan(host())) << "the sum grew by something else than the elapsed time";
}

TEST_F(Cpu, MalformedLineDoesNotAffectOthers) {
  configure();
  read("cpu  0 0 0 0\ncpu0 0 0 0 0\ncpu1 what is this\ncpux 1 2 3 4\ncpu2 0 0 0 0\n");
  read("cpu  50 0 0 50\ncpu0 25 0 0 75\ncpu1 what is this\ncpux 1 2 3 4\ncpu2 75 0 0 25\n");
  EXPECT_DOUBLE_EQ(core(0), 0.25);
  EXPECT_DOUBLE_EQ(core(2), 0.75);
  EXPECT_DOUBLE_EQ(host(), 0.5);
}

TEST_F(Cpu, ReadsThousandsOfProcessors) {
  configure();
  const auto stat = [](int readings) {
    std::string text =
        "cpu  " + std::to_string(readings * 4096 * 30) + " 0 0 " + std::to_string(readings * 4096 * 70) + "\n";
    for (int i = 0; i < 4096; ++i) {
      text += "cpu" + std::to_string(i) + " " + std::to_string(readings * 30) + " 0 0 " +
              std::to_string(readings * 70) + "\n";
    }
    return text;
  };
  read(stat(1));
  read(stat(2));
  EXPECT_EQ(tick_.points.size(), 4097U);
  EXPECT_DOUBLE_EQ(host(), 0.3);
  EXPECT_DOUBLE_EQ(core(4095), 0.3);
}

}  // namespace
}  // namespace monitor::agent

// The collector of the clock with made-up system calls.
#include "inputs/proc/clock.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>

#include "inputs/proc/testing/folder.h"

namespace monitor::agent {
namespace {

constexpr int64_t kMilli = 1'000'000;
constexpr int64_t kSecond = 1'000'000'000;

class ClockSteps : public ::testing::Test {
 protected:
  ClockSteps() { collector_.configure({{"clock"}}); }

  Status read(int64_t elapsed = kSecond) {
    boot_ += elapsed;
    tick_.points.clear();
    TickBuilder out(table_, tick_);
    return collector_.collect({}, out);
  }
  double value(const std::string& name) const { return value_of(table_, tick_, "system.clock." + name); }

  int64_t boot_ = 500 * kSecond;
  int64_t ahead_ = 1'700'000'000 * kSecond;  // CLOCK_REALTIME - CLOCK_BOOTTIME
  int64_t call_ns_ = 50;                     // what a call takes
  timex state_{};
  int result_ = TIME_OK;
  int errno_ = 0;
  ClockCollector collector_{{.adjtimex =
                                 [this](timex& out) {
                                   EXPECT_EQ(out.modes, 0U) << "must only read";
                                   out = state_;
                                   errno = errno_;
                                   return result_;
                                 },
                             .real_ns = [this] { return (boot_ += call_ns_) + ahead_; },
                             .boot_ns = [this] { return boot_ += call_ns_; }}};
  metrics::SeriesTable table_;
  metrics::Tick tick_;
};

TEST_F(ClockSteps, ShowsWhatAdjtimexSays) {
  state_.status = STA_NANO | STA_PLL;
  state_.offset = -123'456;
  state_.esterror = 250;
  state_.maxerror = 16'000'000;
  state_.freq = -65'536 * 12 - 32'768;  // -12.5 millionths
  ASSERT_TRUE(read());
  EXPECT_DOUBLE_EQ(value("synchronized"), 1);
  EXPECT_DOUBLE_EQ(value("offset"), -0.000123456);
  EXPECT_DOUBLE_EQ(value("error.estimated"), 0.00025);
  EXPECT_DOUBLE_EQ(value("error.maximum"), 16);
  EXPECT_DOUBLE_EQ(value("frequency.offset"), -12.5e-6);
  EXPECT_DOUBLE_EQ(value("steps"), 0);
  state_.status = STA_UNSYNC;  // without STA_NANO, the offset is in microseconds
  state_.offset = 42;
  result_ = TIME_ERROR;
  ASSERT_TRUE(read());
  EXPECT_DOUBLE_EQ(value("synchronized"), 0);
  EXPECT_DOUBLE_EQ(value("offset"), 0.000042);
}

TEST_F(ClockSteps, CountsStepsInBothDirections) {
  ASSERT_TRUE(read());
  ASSERT_TRUE(read(3600 * kSecond));  // also after a sleep
  EXPECT_DOUBLE_EQ(value("steps"), 0);
  EXPECT_TRUE(std::isnan(value("step.size")));
  ahead_ += 2 * kSecond;
  ASSERT_TRUE(read());
  EXPECT_DOUBLE_EQ(value("steps"), 1);
  EXPECT_NEAR(value("step.size"), 2, 1e-6);
  ASSERT_TRUE(read());
  EXPECT_DOUBLE_EQ(value("steps"), 1);
  EXPECT_TRUE(std::isnan(value("step.size"))) << "only in the tick of the step";
  ahead_ -= 5 * kMilli;
  ASSERT_TRUE(read());
  EXPECT_DOUBLE_EQ(value("steps"), 2);
  EXPECT_NEAR(value("step.size"), -0.005, 1e-6);
}

TEST_F(ClockSteps, SmallStepsAddUp) {
  ASSERT_TRUE(read());
  ahead_ += 600'000;
  ASSERT_TRUE(read());
  EXPECT_DOUBLE_EQ(value("steps"), 0);
  ahead_ += 600'000;
  ASSERT_TRUE(read());
  EXPECT_DOUBLE_EQ(value("steps"), 1);
  EXPECT_NEAR(value("step.size"), 0.0012, 1e-6);
}

TEST_F(ClockSteps, ASlowReadingIsNoStep) {
  ASSERT_TRUE(read());
  call_ns_ = 3 * kMilli;  // the process is suspended between the calls, each time
  ASSERT_TRUE(read());
  EXPECT_DOUBLE_EQ(value("steps"), 0);
  call_ns_ = 50;
  ahead_ += 2 * kMilli;
  ASSERT_TRUE(read());
  EXPECT_DOUBLE_EQ(value("steps"), 1);
}

TEST_F(ClockSteps, WithoutPermissionTheStepsRemain) {
  result_ = -1;
  errno_ = EPERM;
  ASSERT_TRUE(read());
  ahead_ += kSecond;
  ASSERT_TRUE(read());
  EXPECT_DOUBLE_EQ(value("steps"), 1);
  EXPECT_TRUE(std::isnan(value("synchronized")));
  errno_ = EFAULT;
  const Status failed = read();
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message().find("adjtimex"), std::string::npos);
  EXPECT_TRUE(tick_.points.empty());
}

TEST_F(ClockSteps, ANewCollectorContinuesTheCount) {
  ASSERT_TRUE(read());
  ahead_ += kSecond;
  ASSERT_TRUE(read());
  ClockCollector next({.adjtimex = [](timex&) { return TIME_OK; },
                       .real_ns = [this] { return (boot_ += call_ns_) + ahead_; },
                       .boot_ns = [this] { return boot_ += call_ns_; }});
  next.configure({{"clock"}});
  next.adopt(collector_);
  ahead_ += kSecond;
  tick_.points.clear();
  TickBuilder out(table_, tick_);
  ASSERT_TRUE(next.collect({}, out));
  EXPECT_DOUBLE_EQ(value("steps"), 2);
}

}  // namespace
}  // namespace monitor::agent

#include "base/aside.h"

#include <gtest/gtest.h>

#include <future>

namespace monitor {
namespace {

class AsideTest : public ::testing::Test {
 protected:
  // Starts a read that hangs until release().
  void start(Aside& aside, int64_t patience_ns = 3600 * kNanosPerSecond) {
    go_ = {};
    aside.start([this] { go_.get_future().wait(); }, [this] { ++done_; }, patience_ns, [this] { ++late_; });
  }
  void let_go() { go_.set_value(); }
  bool until(const std::function<bool()>& condition) {
    const int64_t end = clock_.mono_ns() + 10 * kNanosPerSecond;
    while (!condition() && clock_.mono_ns() < end) loop_.run_once(10 * kNanosPerMilli);
    return condition();
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  std::promise<void> go_;
  int done_ = 0;
  int late_ = 0;
};

TEST_F(AsideTest, LoopRunsWhileAReadHangs) {
  Aside aside(loop_);
  start(aside);
  EXPECT_FALSE(aside.idle());
  bool turned = false;
  loop_.post([&] { turned = true; });
  EXPECT_TRUE(until([&] { return turned; }));
  EXPECT_EQ(done_, 0);
  let_go();
  EXPECT_TRUE(until([&] { return done_ == 1; }));
  EXPECT_TRUE(aside.idle());
  EXPECT_EQ(late_, 0);
}

TEST_F(AsideTest, ReportsALateReadOnce) {
  Aside aside(loop_);
  start(aside, kNanosPerMilli);
  EXPECT_TRUE(until([&] { return late_ == 1; }));
  let_go();
  EXPECT_TRUE(until([&] { return done_ == 1; }));
  EXPECT_EQ(late_, 1);
}

TEST_F(AsideTest, WaitsAtMostTheGivenTime) {
  Aside aside(loop_);
  EXPECT_TRUE(aside.wait(0)) << "no read is pending";
  start(aside);
  EXPECT_FALSE(aside.wait(kNanosPerMilli));
  EXPECT_EQ(done_, 0);
  let_go();
  EXPECT_TRUE(aside.wait(10 * kNanosPerSecond));
  EXPECT_EQ(done_, 1);
  loop_.run_once(0);
  EXPECT_EQ(done_, 1) << "wait() already called it; the thread's report must not call it again";
}

TEST_F(AsideTest, StartsTheNextReadFromTheCallback) {
  Aside aside(loop_);
  int second = 0;
  aside.start([] {}, [&] { aside.start([] {}, [&] { ++second; }, kNanosPerSecond, [] {}); }, kNanosPerSecond, [] {});
  EXPECT_TRUE(until([&] { return second == 1; }));
}

TEST_F(AsideTest, CallsNothingAfterDestruction) {
  {
    Aside aside(loop_);
    start(aside, kNanosPerMilli);
    let_go();
  }
  loop_.run_once(10 * kNanosPerMilli);
  EXPECT_EQ(done_, 0);
  EXPECT_EQ(late_, 0);
}

}  // namespace
}  // namespace monitor

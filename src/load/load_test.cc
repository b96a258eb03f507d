#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/batches.h"
#include "load/streams.h"
#include "load/testing/stream_server.h"
#include "metrics/check.h"

namespace monitor::load {
namespace {

TEST(Batches, HaveTheConfiguredShapeAndPassTheServersChecks) {
  BatchMaker maker("load-1", 7, {.series = 100, .ticks = 10});
  for (uint64_t sequence = 1; sequence <= 3; ++sequence) {
    const std::string bytes = maker.next();
    const auto view = metrics::check_batch(bytes);
    ASSERT_TRUE(view) << view.error().to_string();
    EXPECT_EQ(view->agent_id, "load-1");
    EXPECT_EQ(view->incarnation, maker.incarnation());
    EXPECT_EQ(view->sequence, sequence);
    EXPECT_EQ(view->series, 100U);
    EXPECT_EQ(view->points, 1000U);
  }
}

TEST(Batches, DependOnTheSeed) {
  BatchMaker one("a", 1, {});
  BatchMaker other("a", 2, {});
  BatchMaker again("a", 1, {});
  EXPECT_NE(one.incarnation(), other.incarnation());
  EXPECT_EQ(one.incarnation(), again.incarnation());
  const std::string first = one.next();
  EXPECT_NE(first, one.next());
}

class StreamsTest : public ::testing::Test {
 protected:
  void run_until(const std::function<bool()>& condition) {
    while (!condition()) loop_.run_once(-1);
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  TestingServer server_{loop_};
};

TEST_F(StreamsTest, PublishOnceAllAreConnectedAndCountAcknowledgements) {
  Streams streams(loop_, {.server = {"127.0.0.1", server_.port}, .streams = 100, .window = 4, .batches = 2});
  bool established = false;
  streams.start([&] {
    established = true;
    EXPECT_EQ(streams.stats().established, 100U);
    EXPECT_EQ(server_.batches, 0U);
  });
  run_until([&] { return streams.stats().acknowledged >= 1000; });
  EXPECT_TRUE(established);
  EXPECT_EQ(server_.agents.size(), 100U);
  EXPECT_EQ(streams.stats().ended, 0U);
  EXPECT_LE(streams.stats().sent - streams.stats().acknowledged, 400U);
}

TEST_F(StreamsTest, RespectTheWindow) {
  server_.at_once = false;
  Streams streams(loop_, {.server = {"127.0.0.1", server_.port}, .streams = 2, .window = 3, .batches = 2});
  streams.start([] {});
  run_until([&] { return server_.batches == 6; });
  EXPECT_EQ(streams.stats().sent, 6U);
  server_.acknowledge_all();
  run_until([&] { return server_.batches == 12; });
  EXPECT_EQ(streams.stats().acknowledged, 6U);
}

TEST_F(StreamsTest, RespectTheRate) {
  Streams streams(
      loop_, {.server = {"127.0.0.1", server_.port}, .streams = 10, .window = 100, .per_second = 50, .batches = 2});
  int64_t since = 0;
  streams.start([&] { since = clock_.mono_ns(); });
  run_until([&] { return server_.batches >= 50; });
  const double seconds = static_cast<double>(clock_.mono_ns() - since) / kNanosPerSecond;
  EXPECT_GE(seconds, 0.099) << "50 batches at 500 a second";
}

}  // namespace
}  // namespace monitor::load

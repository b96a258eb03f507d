#include "load/fleet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "load/testing/stream_server.h"
#include "metrics/check.h"
#include "metrics/decode.h"

namespace monitor::load {
namespace {

TEST(Delays, PercentilesAreExactWithinABucket) {
  Delays delays;
  EXPECT_EQ(delays.percentile_ns(0.5), 0);
  for (int64_t i = 1; i <= 1000; ++i) delays.add(i * 1000);
  EXPECT_EQ(delays.count(), 1000U);
  EXPECT_EQ(delays.max_ns(), 1'000'000);
  EXPECT_EQ(delays.percentile_ns(1), 1'000'000);
  for (const double share : {0.5, 0.9, 0.99, 0.999}) {
    const double exact = share * 1e6;
    EXPECT_GE(static_cast<double>(delays.percentile_ns(share)), exact);
    EXPECT_LE(static_cast<double>(delays.percentile_ns(share)), exact * (1 + 1.0 / 64));
  }
  delays.add(-5);
  EXPECT_EQ(delays.percentile_ns(0), 0);
  delays.add(INT64_MAX);
  EXPECT_EQ(delays.percentile_ns(1), INT64_MAX);
}

TEST(Delays, SmallValuesAreExact) {
  Delays delays;
  for (const int64_t ns : {1, 2, 3, 127, 128}) delays.add(ns);
  EXPECT_EQ(delays.percentile_ns(0.2), 1);
  EXPECT_EQ(delays.percentile_ns(0.8), 127);
}

TEST(FleetBatches, PassValidationAndDiffer) {
  FleetBatches batches(40);
  FleetBatches::Values one = batches.begin(1);
  FleetBatches::Values other = batches.begin(2);
  metrics::Envelope envelope;
  envelope.agent_id = "a";
  envelope.incarnation = std::string(metrics::kIncarnationBytes, 'i');
  envelope.sequence = envelope.first_unacked = 1;
  envelope.appended_ns = 7;
  const std::string first = batches.make(envelope, 5, 4, one);
  const auto view = metrics::check_batch(first);
  ASSERT_TRUE(view) << view.error().to_string();
  EXPECT_EQ(view->points, 40U);
  const auto batch = metrics::decode_batch(first);
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->frames[0].time_ns, 5);
  EXPECT_EQ(batch->frames[0].rates_since_ns, 4);
  std::set<std::string> all = {first, batches.make(envelope, 5, 4, one), batches.make(envelope, 5, 4, other)};
  EXPECT_EQ(all.size(), 3U);
  const std::string beat = batches.heartbeat(envelope);
  ASSERT_TRUE(metrics::check_batch(beat).ok());
  EXPECT_EQ(metrics::check_batch(beat)->frames, 0U);
}

class FleetTest : public ::testing::Test {
 protected:
  void run_until(const std::function<bool()>& condition) {
    while (!condition()) loop_.run_once(10 * kNanosPerMilli);
  }
  FleetOptions options(size_t agents) const {
    FleetOptions options;
    options.server = {"127.0.0.1", server_.port};
    options.agents = agents;
    options.interval_ns = 10 * kNanosPerMilli;
    options.duration_ns = 100 * kNanosPerMilli;
    options.points = 8;
    return options;
  }
  void run(Fleet& fleet) {
    bool done = false;
    fleet.start([&] { done = true; });
    run_until([&] { return done; });
  }
  // The stored sequences, by incarnation.
  std::map<std::string, std::vector<uint64_t>> stored() const {
    std::map<std::string, std::vector<uint64_t>> result;
    for (const std::string& bytes : server_.stored) {
      const auto view = metrics::check_batch(bytes);
      EXPECT_TRUE(view.ok());
      result[std::string(view->incarnation)].push_back(view->sequence);
    }
    return result;
  }

  SystemClock clock_;
  SeededRandom random_{3};
  EventLoop loop_{clock_};
  TestingServer server_{loop_};
};

TEST_F(FleetTest, EveryAgentSendsItsTicksInOrderAndAllAreAcknowledged) {
  Fleet fleet(loop_, random_, options(20));
  run(fleet);
  EXPECT_EQ(fleet.counts().due, 200U);
  EXPECT_EQ(fleet.counts().made, 200U);
  EXPECT_EQ(fleet.counts().acknowledged, 200U);
  EXPECT_EQ(fleet.delays().count(), 200U);
  EXPECT_EQ(fleet.unacknowledged(), 0U);
  const auto all = stored();
  ASSERT_EQ(all.size(), 20U);
  for (const auto& [incarnation, sequences] : all) {
    EXPECT_THAT(sequences, ::testing::ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  }
  for (const AgentOutcome& outcome : fleet.outcomes()) {
    EXPECT_EQ(outcome.made, 10U);
    EXPECT_EQ(outcome.acknowledged, 10U);
    EXPECT_EQ(outcome.resent, 0U);
  }
}

TEST_F(FleetTest, MeasuresDelaysFromWhenABatchWasDue) {
  server_.at_once = false;
  FleetOptions slow = options(1);
  slow.window = 1;
  Fleet fleet(loop_, random_, slow);
  bool done = false;
  fleet.start([&] { done = true; });
  run_until([&] { return fleet.phase() == Fleet::Phase::kDraining; });
  EXPECT_EQ(fleet.counts().made, 1U) << "the other batches are not generated yet";
  EXPECT_EQ(fleet.waiting(), 9U);
  server_.at_once = true;
  server_.acknowledge_all();
  run_until([&] { return done; });
  EXPECT_EQ(fleet.counts().acknowledged, 10U);
  EXPECT_GE(fleet.delays().percentile_ns(0.5), 40 * kNanosPerMilli) << "half of them were due 50 ms earlier";
  EXPECT_GE(fleet.delays().max_ns(), 90 * kNanosPerMilli);
}

TEST_F(FleetTest, CountsDelaysOfUnacknowledgedBatches) {
  server_.at_once = false;
  FleetOptions given_up = options(2);
  given_up.drain_ns = 0;
  Fleet fleet(loop_, random_, given_up);
  run(fleet);
  EXPECT_EQ(fleet.counts().acknowledged, 0U);
  EXPECT_EQ(fleet.delays().count(), 20U);
}

TEST_F(FleetTest, ResendsUnacknowledgedBatchesOnANewStream) {
  server_.at_once = false;
  FleetOptions broken = options(3);
  broken.window = 100;
  Fleet fleet(loop_, random_, broken);
  bool done = false;
  fleet.start([&] { done = true; });
  run_until([&] { return server_.batches >= 9; });
  server_.at_once = true;
  server_.break_all();
  run_until([&] { return done; });
  EXPECT_EQ(fleet.counts().acknowledged, 30U);
  EXPECT_GE(fleet.counts().failures, 3U);
  uint64_t resent = 0;
  for (const AgentOutcome& outcome : fleet.outcomes()) resent += outcome.resent;
  EXPECT_GE(resent, 9U);
  EXPECT_EQ(fleet.counts().sent, 30U + resent);
  for (auto& [incarnation, sequences] : stored()) {
    EXPECT_EQ(std::set<uint64_t>(sequences.begin(), sequences.end()).size(), 10U);
  }
}

TEST_F(FleetTest, ReportsARejectedBatchAsDropped) {
  server_.reject_next = 2;
  Fleet fleet(loop_, random_, options(1));
  run(fleet);
  EXPECT_EQ(fleet.counts().rejected, 2U);
  EXPECT_EQ(fleet.counts().acknowledged, 8U);
  const auto last = metrics::decode_batch(server_.stored.back());
  ASSERT_TRUE(last.ok());
  ASSERT_EQ(last->counters.dropped.size(), 1U);
  EXPECT_EQ(last->counters.dropped[0].batches, 2U);
  EXPECT_EQ(last->counters.dropped[0].reason, "too_large");
  bool told = false;
  for (const std::string& bytes : server_.stored) {
    const auto batch = metrics::decode_batch(bytes);
    ASSERT_TRUE(batch.ok());
    for (const metrics::Drop& drop : batch->drops) told = told || drop.first_sequence == 1;
  }
  EXPECT_TRUE(told);
}

TEST_F(FleetTest, DeliversEverythingToALateServer) {
  FleetOptions early = options(5);
  early.server.port = server_.closed_port();
  Fleet fleet(loop_, random_, early);
  bool done = false;
  fleet.start([&] { done = true; });
  run_until([&] { return fleet.counts().failures >= 5 && fleet.phase() == Fleet::Phase::kRunning; });
  server_.listen_on(early.server.port);
  run_until([&] { return done; });
  EXPECT_EQ(fleet.counts().acknowledged, 50U);
  EXPECT_THAT(fleet.counts().first_failure, ::testing::HasSubstr("refused"));
}

TEST_F(FleetTest, StopsInOrder) {
  FleetOptions endless = options(4);
  endless.duration_ns = 3600 * kNanosPerSecond;
  Fleet fleet(loop_, random_, endless);
  bool done = false;
  fleet.start([&] { done = true; });
  run_until([&] { return fleet.counts().acknowledged >= 8; });
  fleet.stop();
  run_until([&] { return done; });
  EXPECT_EQ(fleet.counts().acknowledged, fleet.counts().made);
  EXPECT_EQ(fleet.counts().due, fleet.counts().made);
}

TEST_F(FleetTest, AgentsConnectOverTheRamp) {
  FleetOptions slow = options(10);
  slow.ramp_ns = 100 * kNanosPerMilli;
  Fleet fleet(loop_, random_, slow);
  const int64_t begun = clock_.mono_ns();
  bool done = false;
  fleet.start([&] { done = true; });
  run_until([&] { return fleet.phase() != Fleet::Phase::kConnecting; });
  EXPECT_GE(clock_.mono_ns() - begun, 85 * kNanosPerMilli);
  run_until([&] { return done; });
}

}  // namespace
}  // namespace monitor::load

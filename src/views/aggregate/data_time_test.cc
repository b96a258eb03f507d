#include "views/aggregate/data_time.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace monitor::analysis {
namespace {

constexpr int64_t kT0 = int64_t{1'700'000'000} * kNanosPerSecond;
constexpr int64_t kMono0 = int64_t{500} * kNanosPerSecond;

int64_t at(int64_t second) { return kT0 + second * kNanosPerSecond; }

class DataTimeTest : public testing::Test {
 protected:
  // A batch of the agent with a tick at `data_s`, stored at `log_s`.
  void batch(const std::string& agent, int64_t data_s, int64_t log_s, int32_t partition = 0, bool last = false) {
    metriclog::Record record;
    record.partition = partition;
    record.time_ns = at(log_s);
    metrics::Batch batch;
    batch.agent_id = agent;
    batch.hostname = agent + ".example";
    batch.final_batch = last;
    batch.appended_ns = at(data_s);
    batch.send_every_ns = kNanosPerSecond;
    metrics::Frame frame;
    frame.time_ns = at(data_s);
    batch.frames.push_back(frame);
    time.apply(record, batch);
  }
  // `second`: of the reader's monotonic and wall clocks.
  DataTime::Reading read(int64_t second, bool at_end = true) {
    return time.read(kMono0 + second * kNanosPerSecond, at(second), at_end);
  }

  DataTime time;
};

TEST_F(DataTimeTest, IsTheSlowestActiveAgentOfAllPartitions) {
  batch("a", 100, 101, 0);
  batch("b", 90, 101, 1);
  EXPECT_EQ(read(101).watermark_ns, at(90));
  batch("b", 99, 102, 1);
  EXPECT_EQ(read(102).watermark_ns, at(99));
  EXPECT_EQ(read(103).watermark_ns, at(99)) << "nothing new has come";
}

TEST_F(DataTimeTest, DoesNotWaitForAnAgentThatIsSilentAlsoAloneInItsPartition) {
  batch("a", 100, 100, 0);
  batch("b", 100, 100, 1);
  (void)read(100);
  for (int64_t second = 101; second <= 140; ++second) {
    batch("a", second, second, 0);
    (void)read(second);
  }
  const auto reading = read(140);
  EXPECT_EQ(reading.watermark_ns, at(140));
  EXPECT_TRUE(reading.undelivered(reading.agents->at("b"), at(120)));
  EXPECT_FALSE(reading.undelivered(reading.agents->at("b"), at(100)));
  EXPECT_FALSE(reading.undelivered(reading.agents->at("a"), at(140)));
  EXPECT_EQ(reading.agents->at("b").host, "b.example");
}

TEST_F(DataTimeTest, AnAgentThatStoppedInOrderOwesNothing) {
  batch("a", 100, 100);
  batch("b", 90, 90, 0, true);
  const auto reading = read(100);
  EXPECT_EQ(reading.watermark_ns, at(100));
  EXPECT_FALSE(reading.undelivered(reading.agents->at("b"), at(95)));
}

TEST_F(DataTimeTest, FollowsTheReadersClockWhileTheLogIsIdle) {
  batch("a", 100, 100);
  EXPECT_EQ(read(100).watermark_ns, at(100));
  EXPECT_EQ(read(125).watermark_ns, at(100)) << "it may just be slow";
  EXPECT_EQ(read(200).watermark_ns, at(170));
  EXPECT_EQ(read(200).now_ns, at(200));
  batch("a", 201, 201);
  EXPECT_EQ(read(201).watermark_ns, at(201));
}

TEST_F(DataTimeTest, StandsStillWhileTheLogCannotBeRead) {
  batch("a", 100, 100);
  EXPECT_EQ(read(100).watermark_ns, at(100));
  EXPECT_EQ(read(300, false).watermark_ns, at(100));
  EXPECT_EQ(read(310).watermark_ns, at(100)) << "the silence begins when the log can be read again";
  EXPECT_GT(read(400).watermark_ns, at(100));
}

TEST_F(DataTimeTest, ABacklogDoesNotHoldUpTheOthers) {
  batch("a", 1000, 1000);
  batch("b", 500, 1000);
  const auto reading = read(1000);
  EXPECT_EQ(reading.watermark_ns, at(1000));
  EXPECT_TRUE(reading.undelivered(reading.agents->at("b"), at(900)));
}

TEST_F(DataTimeTest, AWrongClockOfTheLogDoesNotRunAheadOfTheData) {
  batch("a", 100, 4000);
  EXPECT_EQ(read(100).watermark_ns, at(100));
  EXPECT_EQ(read(101).watermark_ns, at(100));
}

TEST_F(DataTimeTest, AReaderThatStartsWaitsForTheAgentsThatAreKnown) {
  time.expect("a", "host-a", at(100));
  time.expect("b", "host-b", at(98));
  time.expect("gone", "host-c", at(10));
  EXPECT_EQ(read(101, false).watermark_ns, at(88));
  batch("a", 105, 105);
  EXPECT_EQ(read(105).watermark_ns, at(88)) << "b has not been heard yet";
  batch("b", 105, 105);
  const auto reading = read(105);
  EXPECT_EQ(reading.watermark_ns, at(105));
  EXPECT_EQ(reading.agents->at("gone").host, "host-c");
  EXPECT_TRUE(reading.undelivered(reading.agents->at("gone"), at(105)));
  time.forget("gone", at(9));
  EXPECT_TRUE(read(105).agents->contains("gone")) << "it was seen later";
  time.forget("gone", at(10));
  EXPECT_FALSE(read(105).agents->contains("gone"));
}

TEST_F(DataTimeTest, AnIdleLogIsAtTheWallClockAfterARestart) {
  time.expect("a", "host-a", at(100));
  EXPECT_EQ(read(10'000).watermark_ns, at(90));
  EXPECT_EQ(read(10'100).watermark_ns, at(10'070));
}

TEST_F(DataTimeTest, AnEmptyLogHasATimeAfterTheFirstSilence) {
  EXPECT_EQ(read(100).watermark_ns, INT64_MIN);
  EXPECT_EQ(read(120).watermark_ns, INT64_MIN);
  EXPECT_EQ(read(140).watermark_ns, at(110));
}

}  // namespace
}  // namespace monitor::analysis

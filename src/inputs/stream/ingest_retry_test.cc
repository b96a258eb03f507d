// When the log refuses, is full, is reset, or already has a batch.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inputs/stream/testing/ingest_world.h"

namespace monitor::server {
namespace {

using ::testing::ElementsAre;

TEST_F(IngestTest, RetryRewindsAfterAGrowingPause) {
  Agent agent(*ingest_);
  agent.hello();
  agent.heard();
  log_.set_trouble("disk full");
  agent.publish(1, batch(1));
  agent.publish(2, batch(2));
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre()) << "the rewind must wait";
  timers_.advance(100 * kNanosPerMilli);
  EXPECT_THAT(agent.heard(), ElementsAre("rewind 1"));
  agent.publish(1, batch(1));
  turn();
  timers_.advance(90 * kNanosPerMilli);
  EXPECT_THAT(agent.heard(), ElementsAre());
  timers_.advance(200 * kNanosPerMilli);
  EXPECT_THAT(agent.heard(), ElementsAre("rewind 1"));
  log_.set_trouble("");
  agent.publish(1, batch(1));
  agent.publish(2, batch(2));
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("ack 2"));
}

TEST_F(IngestTest, ResetOfTheLogRewindsToTheFirstUnconfirmedBatch) {
  log_.hold_deliveries();
  Agent agent(*ingest_);
  agent.hello();
  agent.heard();
  for (uint64_t i = 1; i <= 3; ++i) agent.publish(i, batch(i));
  log_.deliver(1);
  log_.lose_deliveries(false);
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("ack 1", "rewind 2"));
  const size_t consumed = agent.call.consumed_bytes;
  log_.release_deliveries();
  agent.publish(2, batch(2));
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("ack 2"));
  EXPECT_GT(agent.call.consumed_bytes, consumed);
}

TEST_F(IngestTest, FullLogStopsTheStreamUntilThereIsRoom) {
  Agent agent(*ingest_);
  agent.hello();
  agent.heard();
  log_.set_full(true);
  const size_t consumed = agent.call.consumed_bytes;
  agent.publish(1, batch(1));
  agent.publish(2, batch(2));
  timers_.advance(kNanosPerSecond);
  turn();
  EXPECT_EQ(agent.call.consumed_bytes, consumed);
  EXPECT_THAT(agent.heard(), ElementsAre());
  log_.set_full(false);
  timers_.advance(20 * kNanosPerMilli);
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("ack 2"));
  EXPECT_EQ(log_.records(0).at(0).header("sequence"), "1");
}

TEST_F(IngestTest, LaterStreamDoesNotOvertakeStreamsThatWaitForTheLog) {
  Agent first(*ingest_);
  Agent second(*ingest_);
  first.hello();
  second.hello("a1", 'j');
  log_.set_full(true);
  first.publish(1, batch(1));
  log_.set_full(false);
  second.publish(1, batch(1, "a1", 'j'));
  EXPECT_EQ(log_.records(0).size(), 0U) << "the first stream has its turn, although there is room";
  timers_.advance(20 * kNanosPerMilli);
  turn();
  EXPECT_EQ(log_.records(0).size(), 2U);
}

TEST_F(IngestTest, ReportFromBeforeARewindDoesNotAffectWaitingBatches) {
  Agent agent(*ingest_);
  agent.hello();
  agent.heard();
  log_.hold_deliveries();
  log_.refuse_next(2, metriclog::Outcome::kRetry, "timed out");
  agent.publish(1, batch(1));
  agent.publish(2, batch(2));
  log_.deliver(1);
  turn();
  timers_.advance(kNanosPerSecond);
  EXPECT_THAT(agent.heard(), ElementsAre("rewind 1"));
  log_.set_full(true);
  agent.publish(1, batch(1));
  agent.publish(2, batch(2));
  log_.deliver(1);  // the outcome of the first copy of batch 2
  turn();
  log_.set_full(false);
  log_.release_deliveries();
  timers_.advance(kNanosPerSecond);
  turn();
  // The second copy of batch 2 waited for the first, which was not stored, so the agent must send it a third time.
  EXPECT_THAT(agent.heard(), ElementsAre("rewind 2", "ack 1"));
  agent.publish(2, batch(2));
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("ack 2"));
}

TEST_F(IngestTest, ResetRewindsToBatchesThatOnlyWaited) {
  Agent agent(*ingest_);
  agent.hello();
  agent.heard();
  log_.hold_deliveries();
  Agent other(*ingest_);
  other.hello("a2", 'j');
  other.publish(1, batch(1, "a2", 'j'));
  log_.set_full(true);
  agent.publish(1, batch(1));
  log_.lose_deliveries(false);
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("rewind 1"));
}

TEST_F(IngestTest, AnswersACopyFromALaterStreamWithoutAppendingIt) {
  log_.hold_deliveries();
  auto before = std::make_unique<Agent>(*ingest_);
  before->hello("a1", 'i');
  for (uint64_t i = 1; i <= 3; ++i) before->publish(i, batch(i));
  before->handler.reset();  // killed; the log holds the batches that it sent
  Agent after(*ingest_);
  after.hello("a1", 'j');
  after.heard();
  for (uint64_t i = 1; i <= 3; ++i) after.publish(i, batch(i));
  after.publish(4, batch(1, "a1", 'j'));
  turn();
  EXPECT_THAT(after.heard(), ElementsAre()) << "no answer before the outcome of the first copy";
  log_.deliver(2);
  turn();
  EXPECT_THAT(after.heard(), ElementsAre("ack 2"));
  log_.release_deliveries();
  turn();
  EXPECT_THAT(after.heard(), ElementsAre("ack 4"));
  EXPECT_EQ(log_.records(0).size(), 4U);
  EXPECT_EQ(memory_->used(), 0U);
  EXPECT_TRUE(shows("monitor_server_batches_copies_total 3"));
  EXPECT_TRUE(shows("monitor_server_batches_stored_total 1")) << "no stream received the outcome of the first three";
}

TEST_F(IngestTest, AnswersACopyAfterALostAcknowledgement) {
  Agent before(*ingest_);
  before.hello();
  before.publish(1, batch(1));
  turn();
  EXPECT_THAT(before.heard(), ElementsAre("hello", "ack 1"));
  Agent after(*ingest_);
  after.hello();
  after.publish(1, batch(1));
  after.publish(2, batch(2));
  turn();
  EXPECT_THAT(after.heard(), ElementsAre("hello", "ack 2"));
  EXPECT_EQ(log_.records(0).size(), 2U);
}

TEST_F(IngestTest, RewindsToACopyOfABatchThatWasNotStored) {
  log_.hold_deliveries();
  Agent before(*ingest_);
  before.hello("a1", 'i');
  before.publish(1, batch(1));
  const auto other = make();  // on another loop
  Agent after(*other);
  after.hello("a1", 'j');
  after.heard();
  after.publish(1, batch(1));
  log_.lose_deliveries(false);
  turn();
  timers_.advance(kNanosPerSecond);
  EXPECT_THAT(after.heard(), ElementsAre("rewind 1"));
  log_.release_deliveries();
  after.publish(1, batch(1));
  turn();
  EXPECT_THAT(after.heard(), ElementsAre("ack 1"));
}

TEST_F(IngestTest, StoresAndReportsOtherContentUnderTheSameSequence) {
  Agent agent(*ingest_);
  agent.hello("a1", 'i');
  agent.publish(1, batch(1));
  Agent foreign(*ingest_);
  foreign.hello("a1", 'k');
  metrics::Batch forged = *metrics::decode_batch(batch(1));
  forged.hostname = "elsewhere";
  foreign.publish(1, metrics::encode_batch(forged));
  turn();
  EXPECT_THAT(foreign.heard(), ElementsAre("hello", "ack 1"));
  EXPECT_EQ(log_.records(0).size(), 2U) << "nothing is lost; readers report the conflict";
  EXPECT_TRUE(shows("monitor_server_batches_contradicting_total 1"));
}

}  // namespace
}  // namespace monitor::server

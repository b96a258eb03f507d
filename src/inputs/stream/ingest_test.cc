#include "inputs/stream/ingest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hex.h"
#include "inputs/stream/testing/ingest_world.h"
#include "metrics/json_form.h"

namespace monitor::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(IngestTest, AcknowledgesOnlyConfirmedBatches) {
  log_.hold_deliveries();
  Agent agent(*ingest_);
  agent.hello();
  EXPECT_THAT(agent.heard(), ElementsAre("hello"));
  EXPECT_EQ(agent.log, "memory");
  const size_t after_hello = agent.call.consumed_bytes;
  for (uint64_t i = 1; i <= 3; ++i) agent.publish(i, batch(i));
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre());
  EXPECT_EQ(agent.call.consumed_bytes, after_hello) << "no window must be returned before the log confirms";
  log_.deliver(2);
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("ack 2"));
  log_.release_deliveries();
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("ack 3"));
  EXPECT_EQ(agent.call.consumed_bytes, after_hello + agent.sent);
  EXPECT_TRUE(shows("monitor_server_batches_stored_total 3"));
}

TEST_F(IngestTest, AcknowledgesTheContiguousPrefixOfConfirmations) {
  log_.hold_deliveries();
  Agent agent(*ingest_);
  agent.hello();
  for (uint64_t i = 1; i <= 20; ++i) agent.publish(i, batch(i));
  agent.heard();
  log_.deliver_reordered(random_);
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("ack 20"));
}

TEST_F(IngestTest, RecordHasKeyHeadersAndUnchangedBytes) {
  Agent agent(*ingest_);
  agent.hello();
  const std::string bytes = batch(7);
  agent.publish(1, bytes);
  const auto records = log_.records(0);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].key, "a1");
  EXPECT_EQ(records[0].value, bytes);
  EXPECT_EQ(records[0].header("agent"), "a1");
  EXPECT_EQ(records[0].header("incarnation"), hex(incarnation('i')));
  EXPECT_EQ(records[0].header("sequence"), "7");
  EXPECT_EQ(records[0].header("config-revision"), "42");
  EXPECT_EQ(records[0].header("content-type"), "application/x-protobuf");
}

TEST_F(IngestTest, StoresJsonIfConfigured) {
  const auto ingest = make({.encoding = Encoding::kJson});
  Agent agent(*ingest);
  agent.hello();
  agent.publish(1, batch(7));
  turn();
  const auto records = log_.records(0);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].header("content-type"), "application/json");
  const auto back = metrics::batch_from_json(records[0].value);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(metrics::encode_batch(*back), batch(7));
}

TEST_F(IngestTest, RejectsABatchAndKeepsTheStream) {
  Agent agent(*ingest_);
  agent.hello();
  agent.publish(1, batch(1));
  agent.publish(2, "garbage");
  agent.publish(3, batch(3, "someone-else"));
  agent.publish(4, std::string(300'000, 'x'));
  agent.publish(5, batch(5));
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("hello", "reject 2", "reject 3", "reject 4", "ack 5"));
  EXPECT_THAT(agent.reason, HasSubstr("262144"));
  EXPECT_FALSE(agent.call.finished);
  EXPECT_EQ(log_.records(0).size(), 2U);
  EXPECT_TRUE(shows("monitor_server_batches_rejected_total{reason=\"wrong_agent\"} 1"));
  EXPECT_TRUE(shows("monitor_server_batches_rejected_total{reason=\"too_large\"} 1"));
  EXPECT_TRUE(shows("monitor_server_batches_rejected_total{reason=\"invalid\"} 1"));
}

TEST_F(IngestTest, AcceptsBatchesOfEarlierIncarnations) {
  Agent agent(*ingest_);
  agent.hello("a1", 'i');
  agent.publish(1, batch(900, "a1", 'o'));
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("hello", "ack 1"));
}

TEST_F(IngestTest, RejectsABatchThatTheLogRejects) {
  log_.refuse_next(1, metriclog::Outcome::kRejected, "odd");
  Agent agent(*ingest_);
  agent.hello();
  agent.publish(1, batch(1));
  agent.publish(2, batch(2));
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("hello", "reject 1", "ack 2"));
  EXPECT_EQ(agent.reason, "odd");
}

TEST_F(IngestTest, NewerStreamOfTheSameIncarnationEndsTheOlderOne) {
  Agent old_one(*ingest_);
  old_one.hello();
  Agent new_one(*ingest_, "ipv4:10.0.0.1:2");
  new_one.hello();
  turn();
  ASSERT_TRUE(old_one.call.finished);
  EXPECT_EQ(old_one.call.finished->code, Code::kAborted);
  EXPECT_THAT(old_one.call.finished->message, HasSubstr("10.0.0.1:2"));
  EXPECT_FALSE(new_one.call.finished);
  EXPECT_EQ(streams_.size(), 1U);
}

TEST_F(IngestTest, StoresBothLiveIncarnationsOfAnAgentAndReportsAConflict) {
  Agent one(*ingest_);
  one.hello("a1", 'i', "host-1");
  Agent two(*ingest_, "ipv4:10.0.0.2:2");
  two.hello("a1", 'k', "host-2");
  two.publish(1, batch(1, "a1", 'k'));
  EXPECT_TRUE(shows("monitor_server_agent_id_conflicts_total 0")) << "the older stream may be a dead connection";
  one.publish(1, batch(1));
  turn();
  EXPECT_TRUE(shows("monitor_server_agent_id_conflicts_total 1"));
  EXPECT_EQ(log_.records(0).size(), 2U);
  const std::string next = " sends under the agent id a1, too; change the --agent-id of one of them";
  EXPECT_THAT(one.heard(), ElementsAre("hello", "agent_id_conflict: host-2 (ipv4:10.0.0.2:2)" + next, "ack 1"));
  EXPECT_THAT(two.heard(), ElementsAre("hello", "ack 1", "agent_id_conflict: host-1 (ipv4:10.0.0.1:1)" + next));
}

TEST_F(IngestTest, NotifiesAgentsEveryMinuteDuringAConflict) {
  Agent one(*ingest_);
  one.hello("a1", 'i', "host-1");
  uint64_t number = 0;
  const auto notices = [&](int minutes) {
    int count = 0;
    for (int i = 0; i < 60 * minutes; ++i) {
      timers_.advance(kNanosPerSecond);
      ++number;
      one.publish(number, batch(number));
      turn();
      for (const std::string& word : one.heard()) count += word.starts_with("agent_id_conflict") ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(notices(5), 0);
  {
    Agent two(*ingest_, "ipv4:10.0.0.2:2");
    two.hello("a1", 'k', "host-2");
    EXPECT_EQ(notices(10), 10);
  }
  EXPECT_LE(notices(5), 1);
  EXPECT_TRUE(shows("monitor_server_agent_id_conflicts_total 1"));
}

TEST_F(IngestTest, EndsAStreamWithoutHello) {
  Agent agent(*ingest_);
  timers_.advance(11 * kNanosPerSecond);
  ASSERT_TRUE(agent.call.finished);
  EXPECT_EQ(agent.call.finished->code, Code::kDeadlineExceeded);
}

TEST_F(IngestTest, EndsAStreamThatBreaksTheProtocol) {
  Agent agent(*ingest_);
  agent.publish(1, batch(1));
  ASSERT_TRUE(agent.call.finished);
  EXPECT_EQ(agent.call.finished->code, Code::kInvalidArgument);
}

TEST_F(IngestTest, DrainAnswersOpenBatchesAndThenEnds) {
  log_.hold_deliveries();
  Agent agent(*ingest_);
  agent.hello();
  agent.publish(1, batch(1));
  agent.heard();
  ingest_->drain();
  EXPECT_THAT(agent.heard(), ElementsAre("drain"));
  EXPECT_FALSE(agent.call.finished);
  log_.release_deliveries();
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("ack 1"));
  ASSERT_TRUE(agent.call.finished);
  EXPECT_TRUE(agent.call.finished->ok());
  Agent late(*ingest_);
  EXPECT_EQ(late.handler, nullptr);
}

TEST_F(IngestTest, HalfClosedStreamEndsOnceEverythingIsAnswered) {
  log_.hold_deliveries();
  Agent agent(*ingest_);
  agent.hello();
  agent.publish(1, batch(1));
  agent.handler->on_half_close();
  EXPECT_FALSE(agent.call.finished);
  log_.release_deliveries();
  turn();
  ASSERT_TRUE(agent.call.finished);
  EXPECT_TRUE(agent.call.finished->ok());
}

TEST_F(IngestTest, IgnoresAConfirmationForAnEndedStream) {
  log_.hold_deliveries();
  {
    Agent agent(*ingest_);
    agent.hello();
    agent.publish(1, batch(1));
    agent.handler->on_cancelled();
    agent.handler.reset();
  }
  EXPECT_EQ(ingest_->open_streams(), 0U);
  EXPECT_EQ(streams_.size(), 0U);
  log_.release_deliveries();
  turn();
}

TEST_F(IngestTest, RejectsForgedNumbersAndFallingCounters) {
  const auto with = [](uint64_t sequence, uint64_t due, uint64_t first_unacked = 0) {
    metrics::Batch b = *metrics::decode_batch(batch(sequence));
    b.counters.ticks_due = due;
    b.first_unacked = first_unacked;
    return metrics::encode_batch(b);
  };
  Agent agent(*ingest_);
  agent.hello();
  agent.publish(1, with(5, 10));
  agent.publish(2, with(UINT64_MAX, 11));
  agent.publish(3, with(6, 11, 7));
  agent.publish(4, with(6, 9));
  agent.publish(5, with(3, 8));
  agent.publish(6, with(4, 12));
  agent.publish(7, with(7, 12));
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("hello", "reject 2", "reject 3", "reject 4", "reject 6", "ack 7"));
  EXPECT_THAT(agent.reason, HasSubstr("the totals fall"));
  EXPECT_EQ(log_.records(0).size(), 3U);
}

}  // namespace
}  // namespace monitor::server

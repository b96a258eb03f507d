#include "inputs/stream/ingest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hex.h"
#include "base/text.h"
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

TEST_F(IngestTest, PausesAStreamWithoutMemoryAndRewindsItLater) {
  const auto ingest = make({.memory_limit = 2 * MemoryBudget::kPerBatch});
  Agent agent(*ingest);
  agent.hello();
  agent.heard();
  const size_t hello = agent.call.consumed_bytes;
  log_.hold_deliveries();
  agent.publish(1, batch(1));
  const size_t kept = memory_->used();
  const size_t consumed = agent.call.consumed_bytes;
  agent.publish(2, batch(2));
  agent.publish(3, batch(3));
  timers_.advance(10 * kNanosPerSecond);
  EXPECT_EQ(memory_->used(), kept);
  EXPECT_EQ(agent.call.consumed_bytes, consumed) << "the agent must get no more window";
  EXPECT_THAT(agent.heard(), ElementsAre()) << "no rewind before there is memory";
  log_.release_deliveries();
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("ack 1", "rewind 2"));
  EXPECT_EQ(memory_->used(), kept) << "reserved for the batch that it requested";
  agent.publish(2, batch(2));
  turn();
  EXPECT_EQ(memory_->used(), 0U);
  agent.publish(3, batch(3));
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("ack 2", "ack 3"));
  EXPECT_EQ(agent.call.consumed_bytes, hello + agent.sent) << "the whole window must be returned";
}

TEST_F(IngestTest, PausedStreamsContinueInTurn) {
  const auto ingest = make({.memory_limit = 2 * MemoryBudget::kPerBatch});
  std::vector<std::unique_ptr<Agent>> agents;
  for (int i = 0; i < 4; ++i) {
    agents.push_back(std::make_unique<Agent>(*ingest));
    agents.back()->hello("a" + std::to_string(i));
    agents.back()->heard();
  }
  log_.hold_deliveries();
  for (size_t i = 0; i < agents.size(); ++i) agents[i]->publish(1, batch(1, "a" + std::to_string(i)));
  for (size_t i = 1; i < agents.size(); ++i) {
    log_.deliver(1);
    turn();
    EXPECT_THAT(agents[i]->heard(), ElementsAre("rewind 1")) << i;
    agents[i]->publish(1, batch(1, "a" + std::to_string(i)));
    timers_.advance(kNanosPerSecond);
    for (size_t j = i + 1; j < agents.size(); ++j) EXPECT_THAT(agents[j]->heard(), ElementsAre()) << j;
  }
}

// An agent that always has something to send, as far as its window allows, and that follows the server's messages.
struct Greedy {
  static constexpr uint64_t kWindow = 8;

  Greedy(Ingest& ingest, size_t number) : id("greedy-" + std::to_string(number)), agent(ingest) { agent.hello(id); }
  void go_on() {
    for (const std::string& word : agent.heard()) {
      if (word.starts_with("ack ")) acknowledged = std::stoull(word.substr(4));
      if (word.starts_with("rewind ")) next = std::stoull(word.substr(7));
    }
    for (; next <= acknowledged + kWindow; ++next) agent.publish(next, batch(next, id));
  }

  std::string id;
  Agent agent;
  uint64_t next = 1;
  uint64_t acknowledged = 0;
};

TEST_F(IngestTest, SharesASlowLogEquallyAndAgentsWithFewBatchesDoNotWait) {
  constexpr size_t kAgents = 20;
  constexpr uint64_t kStored = 2000;
  const auto ingest = make({.memory_limit = 2 * kAgents * MemoryBudget::kPerBatch});
  log_.hold_deliveries();
  std::vector<std::unique_ptr<Greedy>> greedy;
  greedy.reserve(kAgents);
  for (size_t i = 0; i < kAgents; ++i) greedy.push_back(std::make_unique<Greedy>(*ingest, i));
  Agent modest(*ingest);
  modest.hello("modest");
  modest.heard();
  uint64_t sent = 0;
  uint64_t answered = 0;
  for (uint64_t stored = 0; stored < kStored; ++stored) {
    for (auto& one : greedy) one->go_on();
    // Only after the others have filled the memory, and so rarely that each batch is stored before the next one
    // arrives.
    if (stored % 100 == 99 && stored + 100 < kStored) {
      ++sent;
      modest.publish(sent, batch(sent, "modest"));
    }
    EXPECT_LE(memory_->used(), memory_->limit());
    log_.deliver(1);
    turn();
    timers_.advance(kNanosPerMilli);
    for (const std::string& word : modest.heard()) {
      EXPECT_TRUE(word.starts_with("ack ")) << word << ": there was memory for it all the time";
      ++answered;
    }
  }
  EXPECT_EQ(answered, sent);
  for (const auto& one : greedy) {
    EXPECT_GT(one->acknowledged, kStored / kAgents * 3 / 4) << one->id;
    EXPECT_LT(one->acknowledged, kStored / kAgents * 5 / 4) << one->id;
  }
}

TEST_F(IngestTest, ReleasesReservedMemoryIfNothingArrives) {
  const auto ingest = make({.memory_limit = 2 * MemoryBudget::kPerBatch});
  log_.hold_deliveries();
  Agent agent(*ingest);
  agent.hello();
  agent.publish(1, batch(1));
  agent.publish(2, batch(2));
  log_.release_deliveries();
  turn();
  EXPECT_GT(memory_->used(), 0U);
  timers_.advance(kNanosPerSecond);
  EXPECT_EQ(memory_->used(), 0U);
  log_.hold_deliveries();
  agent.publish(2, batch(2));
  agent.publish(3, batch(3));
  log_.release_deliveries();
  turn();
  EXPECT_GT(memory_->used(), 0U);
  agent.handler.reset();
  EXPECT_EQ(memory_->used(), 0U) << "its stream has ended";
}

TEST_F(IngestTest, RewindsAgainIfABatchArrivesDuringAPause) {
  const auto ingest = make({.memory_limit = 3 * MemoryBudget::kPerBatch});
  Agent agent(*ingest);
  Agent busy(*ingest);
  Agent before(*ingest);
  agent.hello("a");
  busy.hello("b");
  before.hello("c");
  agent.heard();
  log_.hold_deliveries();
  log_.set_trouble("not now");
  agent.publish(1, batch(1, "a"));
  log_.set_trouble("");
  busy.publish(1, batch(1, "b"));
  before.publish(1, batch(1, "c"));
  agent.publish(2, batch(2, "a"));  // paused; queued behind `before`
  log_.deliver(1);
  turn();
  before.publish(1, batch(1, "c"));  // takes the memory that became free
  timers_.advance(100 * kNanosPerMilli);
  EXPECT_THAT(agent.heard(), ElementsAre("rewind 1")) << "the log did not accept it";
  agent.publish(1, batch(1, "a"));
  EXPECT_THAT(agent.heard(), ElementsAre());
  log_.release_deliveries();
  turn();
  timers_.advance(100 * kNanosPerMilli);
  EXPECT_THAT(agent.heard(), ElementsAre("rewind 1")) << "there was no memory for it";
  agent.publish(1, batch(1, "a"));
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("ack 1"));
}

TEST_F(IngestTest, CountsRecordsOfAnEndedStreamUntilTheyAreReported) {
  const auto ingest = make({.memory_limit = size_t{1} << 20});
  log_.hold_deliveries();
  {
    Agent agent(*ingest);
    agent.hello();
    agent.publish(1, batch(1));
    agent.publish(2, batch(2));
  }
  EXPECT_GT(memory_->used(), 2 * MemoryBudget::kPerBatch);
  log_.release_deliveries();
  turn();
  EXPECT_EQ(memory_->used(), 0U);
}

TEST_F(IngestTest, ResetOfTheLogFreesItsMemory) {
  const auto ingest = make({.memory_limit = 2 * MemoryBudget::kPerBatch});
  Agent agent(*ingest);
  agent.hello();
  agent.heard();
  const size_t hello = agent.call.consumed_bytes;
  log_.hold_deliveries();
  agent.publish(1, batch(1));
  agent.publish(2, batch(2));
  ingest->on_reset();
  turn();
  EXPECT_EQ(memory_->used(), 0U);
  EXPECT_THAT(agent.heard(), ElementsAre("rewind 1"));
  EXPECT_EQ(agent.call.consumed_bytes, hello + agent.sent);
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

TEST_F(IngestTest, BoundsRepliesToAnAgentThatDoesNotRead) {
  Agent agent(*ingest_);
  agent.hello();
  agent.heard();
  agent.call.unsent = 100'000;
  agent.publish(1, batch(1));
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre());
  agent.call.unsent = 0;
  agent.handler->on_writable();
  EXPECT_THAT(agent.heard(), ElementsAre("ack 1"));
}

TEST_F(IngestTest, ReturnsNoWindowWhileRepliesAreUnread) {
  Agent agent(*ingest_);
  agent.hello();
  agent.heard();
  const size_t before = agent.call.consumed_bytes;
  agent.call.unsent = 100'000;
  for (uint64_t i = 1; i <= 10; ++i) agent.publish(i, "x");
  EXPECT_EQ(agent.call.consumed_bytes, before) << "replies wait, so the agent must get no more window";
  EXPECT_THAT(agent.heard(), ElementsAre());
  agent.call.unsent = 0;
  agent.handler->on_writable();
  EXPECT_EQ(agent.heard().size(), 11U) << "ten rejections and an acknowledgement";
  EXPECT_EQ(agent.call.consumed_bytes, before + agent.sent);
}

TEST_F(IngestTest, EndsAStreamWhoseAgentReadsNoRejections) {
  Agent agent(*ingest_);
  agent.hello();
  agent.call.unsent = 100'000;
  uint64_t sent = 0;
  while (!agent.call.finished && sent < 100'000) agent.publish(++sent, "x");
  ASSERT_TRUE(agent.call.finished);
  EXPECT_EQ(agent.call.finished->code, Code::kResourceExhausted);
  EXPECT_THAT(agent.call.finished->message, HasSubstr("does not read its replies"));
  EXPECT_LT(sent, 5000U);
  EXPECT_EQ(memory_->used(), 0U);
}

TEST_F(IngestTest, ChargesUnreadRepliesToTheMemoryBudget) {
  Agent agent(*ingest_);
  agent.hello();
  agent.call.unsent = 100'000;
  for (uint64_t i = 1; i <= 700; ++i) agent.publish(i, "x");
  ASSERT_FALSE(agent.call.finished);
  EXPECT_GT(memory_->used(), 64U * 1024);
  agent.call.unsent = 0;
  agent.handler->on_writable();
  EXPECT_EQ(memory_->used(), 0U);
}

// One batch that the log does not confirm keeps the records of all later ones.
TEST_F(IngestTest, BoundsTinyBatchesBehindAnUnconfirmedOne) {
  IngestOptions options;
  options.memory_limit = MemoryBudget::kLeast;
  ingest_ = make(options);
  log_.hold_deliveries();
  Agent agent(*ingest_);
  agent.hello();
  agent.publish(1, batch(1));
  uint64_t sent = 1;
  while (!agent.call.finished && sent < 200'000) {
    agent.publish(++sent, "x");
    agent.call.written.clear();
  }
  ASSERT_TRUE(agent.call.finished);
  EXPECT_EQ(agent.call.finished->code, Code::kResourceExhausted);
  EXPECT_LE(memory_->used(), MemoryBudget::kLeast);
  log_.release_deliveries();
  turn();
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

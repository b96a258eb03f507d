// What a stream may hold: memory for batches and replies, and turns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inputs/stream/testing/ingest_world.h"

namespace monitor::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

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

}  // namespace
}  // namespace monitor::server

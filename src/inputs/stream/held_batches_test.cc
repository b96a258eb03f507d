#include "inputs/stream/held_batches.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace monitor::server {
namespace {

using metriclog::Outcome;
using State = HeldBatches::State;

class Nobody final : public metriclog::DeliveryListener {
 public:
  void on_delivered(std::span<const metriclog::Delivery> /*deliveries*/) override {}
  void on_reset() override {}
};

class HeldBatchesTest : public ::testing::Test {
 protected:
  HeldBatches::Id id(uint64_t sequence, std::string_view content = "content") const {
    metrics::BatchView view;
    view.agent_id = "a";
    view.incarnation = "0123456789abcdef";
    view.sequence = sequence;
    return held_.id_of(view, content);
  }
  HeldBatches::Outcomes settle(Nobody& listener, uint64_t token, Outcome outcome = Outcome::kStored) {
    const metriclog::Delivery delivery{.token = token, .outcome = outcome, .reason = "why"};
    return held_.settle(&listener, {&delivery, 1});
  }

  SeededRandom random_{1};
  HeldBatches held_{random_};
  Nobody one_;
  Nobody two_;
};

TEST_F(HeldBatchesTest, CopyGetsTheOutcomeOfTheFirst) {
  EXPECT_EQ(held_.join(id(1), {&one_, 1}), State::kUnknown) << "join() must not hold a batch";
  EXPECT_EQ(held_.hold(id(1), {&one_, 1}), State::kUnknown);
  EXPECT_EQ(held_.join(id(1), {&two_, 9}), State::kHeld);
  EXPECT_EQ(held_.hold(id(2), {&one_, 2}), State::kUnknown);
  EXPECT_TRUE(settle(two_, 1).empty()) << "another's token";
  const auto told = settle(one_, 1, Outcome::kRejected);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].first, (HeldBatches::Waiter{&two_, 9}));
  EXPECT_EQ(told[0].second.token, 9U);
  EXPECT_EQ(told[0].second.outcome, Outcome::kRejected);
  EXPECT_EQ(told[0].second.reason, "why");
  EXPECT_EQ(held_.hold(id(1), {&two_, 10}), State::kUnknown) << "the rejected batch was not stored";
}

TEST_F(HeldBatchesTest, RemembersTheLatestStoredBatches) {
  EXPECT_EQ(held_.hold(id(1), {&one_, 1}), State::kUnknown);
  settle(one_, 1);
  EXPECT_EQ(held_.join(id(1), {&two_, 2}), State::kStored);
  EXPECT_EQ(held_.hold(id(1), {&two_, 2}), State::kStored);
  for (uint64_t i = 2; i <= HeldBatches::kMostStored + 1; ++i) {
    EXPECT_EQ(held_.hold(id(i), {&one_, i}), State::kUnknown);
    settle(one_, i);
  }
  EXPECT_EQ(held_.stored(), HeldBatches::kMostStored);
  EXPECT_EQ(held_.held(), 0U);
  EXPECT_EQ(held_.join(id(1), {&two_, 3}), State::kUnknown);
  EXPECT_EQ(held_.join(id(2), {&two_, 3}), State::kStored);
}

TEST_F(HeldBatchesTest, OtherContentUnderTheSameNameIsNotACopy) {
  EXPECT_EQ(held_.hold(id(1), {&one_, 1}), State::kUnknown);
  EXPECT_EQ(held_.hold(id(1, "other"), {&two_, 2}), State::kOther);
  settle(one_, 1);
  EXPECT_EQ(held_.join(id(1, "other"), {&two_, 3}), State::kOther);
  EXPECT_TRUE(settle(two_, 2).empty());
}

TEST_F(HeldBatchesTest, ReleaseOrResetMakesWaitersSendAgain) {
  EXPECT_EQ(held_.hold(id(1), {&one_, 1}), State::kUnknown);
  EXPECT_EQ(held_.join(id(1), {&two_, 2}), State::kHeld);
  const auto released = held_.release({&one_, 1});
  ASSERT_EQ(released.size(), 1U);
  EXPECT_EQ(released[0].second.outcome, Outcome::kRetry);
  EXPECT_EQ(held_.hold(id(1), {&one_, 3}), State::kUnknown);
  EXPECT_EQ(held_.hold(id(2), {&two_, 4}), State::kUnknown);
  EXPECT_EQ(held_.join(id(1), {&two_, 5}), State::kHeld);
  const auto reset = held_.reset(&one_);
  ASSERT_EQ(reset.size(), 1U);
  EXPECT_EQ(reset[0].second.token, 5U);
  EXPECT_EQ(reset[0].second.outcome, Outcome::kRetry);
  EXPECT_EQ(held_.held(), 1U) << "the batch of the other listener";
}

TEST_F(HeldBatchesTest, OnlyOneOfManyLoopsAppends) {
  constexpr uint64_t kBatches = 2000;
  std::atomic<uint64_t> appended = 0;
  std::atomic<uint64_t> told = 0;
  std::vector<std::thread> loops;
  std::vector<Nobody> listeners(4);
  loops.reserve(listeners.size());
  for (Nobody& listener : listeners) {
    loops.emplace_back([&] {
      for (uint64_t i = 1; i <= kBatches; ++i) {
        const State state = held_.hold(id(i), {&listener, i});
        if (state == State::kStored) ++told;
        if (state != State::kUnknown) continue;
        ++appended;
        ++told;
        const metriclog::Delivery stored{.token = i, .outcome = Outcome::kStored, .reason = {}};
        told += held_.settle(&listener, {&stored, 1}).size();
      }
    });
  }
  for (std::thread& loop : loops) loop.join();
  EXPECT_EQ(appended, kBatches);
  EXPECT_EQ(told, kBatches * listeners.size());
}

}  // namespace
}  // namespace monitor::server

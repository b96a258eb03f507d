// Every disk call of the spool fails once, and every pair of consecutive calls fails. The process dies at every call.
// Power is lost at random. Afterwards the ledger must be correct.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/log.h"
#include "spool/testing/spool_world.h"

namespace monitor::agent {
namespace {

using monitor::testing::DiskCall;
using monitor::testing::DiskFault;

constexpr int64_t kS = kNanosPerSecond;
constexpr size_t kBatches = 60;

class SpoolFaults : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { log_configure(LogLevel::kOff, LogFormat::kText); }
  static void TearDownTestSuite() { log_configure(LogLevel::kInfo, LogFormat::kText); }

  // During it, segments are started, sealed and deleted, and batches are acknowledged, rejected and returned.
  void live(SpoolWorld& w) {
    EXPECT_TRUE(w.start());
    for (size_t i = 0; i < kBatches; ++i) {
      w.append(3'000);
      if (!w.disk.crashed()) appended_ = w.next_sequence - 1;
      if (i % 3 != 0) continue;
      const auto sent = w.send();
      if (!sent) continue;
      if (i % 9 == 6) {
        w.spool->returned(sent->id);
      } else if (i == 30) {
        w.spool->rejected(sent->id, stream::RejectedBy::kServer, "invalid: no");
        rejected_ = sent->key.second;
        settled_.insert(sent->key.second);
      } else {
        w.spool->acknowledged(sent->id);
        settled_.insert(sent->key.second);
      }
      if (i % 12 == 0) w.pass(200 * kNanosPerMilli);
    }
    // Covers the whole first segment, so that it is deleted.
    for (int i = 0; i < 25; ++i) {
      const auto sent = w.send();
      if (!sent) break;
      w.spool->acknowledged(sent->id);
      settled_.insert(sent->key.second);
    }
    w.pass(6 * kS);
  }

  void expect_all(SpoolWorld& w, const std::string& what) {
    std::set<uint64_t> got;
    EXPECT_TRUE(w.start());
    for (int i = 0; i < 20 && (i == 0 || w.spool->has_unsent()); ++i) {
      for (const Key& key : w.drain()) EXPECT_TRUE(got.insert(key.second).second) << "twice";
      w.pass(61 * kS);
    }
    EXPECT_FALSE(w.spool->has_unsent());
    for (uint64_t sequence = 1; sequence <= appended_; ++sequence) {
      const size_t lost = w.teller->lost({incarnation(1), sequence});
      const bool known = got.contains(sequence) || lost > 0 || settled_.contains(sequence);
      EXPECT_TRUE(known) << "missing " << sequence;
      EXPECT_LE(lost, 1U) << "reported twice: " << sequence;
      const bool stored = got.contains(sequence) || (settled_.contains(sequence) && sequence != rejected_);
      EXPECT_LE(lost, stored ? 0U : 1U) << sequence;
    }
    if (HasFailure()) ADD_FAILURE() << what;
  }
  uint64_t appended_ = 0;
  uint64_t rejected_ = 0;
  std::set<uint64_t> settled_;
};

uint64_t calls_of_a_life() {
  static const uint64_t calls = [] {
    struct Counter final : SpoolFaults {
      void TestBody() override {}
      uint64_t count() {
        SpoolWorld w;
        live(w);
        w.stop();
        return w.disk.calls();
      }
    } counter;
    return counter.count();
  }();
  return calls;
}

TEST_F(SpoolFaults, SurviveAFailureOfEveryCallAndOfEachTwoInARow) {
  const uint64_t calls = calls_of_a_life();
  ASSERT_GT(calls, 100U);
  for (const DiskFault fault : {DiskFault::kIo, DiskFault::kNoSpace, DiskFault::kShort}) {
    for (uint64_t number = 1; number <= calls; ++number) {
      for (const uint64_t row : {1, 2}) {
        SpoolWorld w;
        std::string what;
        w.disk.set_judge([&](const DiskCall& call) -> std::optional<DiskFault> {
          if (call.number < number || call.number >= number + row) return std::nullopt;
          what += to_string(call.op) + (" " + call.path) + ", ";
          return fault;
        });
        appended_ = 0;
        settled_.clear();
        live(w);
        w.pass(130 * kS);  // every retry has run by then
        w.stop();
        expect_all(w, "call " + std::to_string(number) + ": " + what);
        EXPECT_EQ(appended_, kBatches);
        EXPECT_EQ(w.teller->lost_batches("damaged"), 0U) << what;
        EXPECT_EQ(w.teller->lost_batches("full"), 0U) << what;
        if (HasFailure()) return;
      }
    }
  }
}

TEST_F(SpoolFaults, SurviveAKillAtEveryCall) {
  const uint64_t calls = calls_of_a_life();
  for (uint64_t number = 1; number <= calls; ++number) {
    SpoolWorld w;
    w.disk.crash_at(number);
    appended_ = 0;
    settled_.clear();
    live(w);
    w.kill();
    expect_all(w, "killed at call " + std::to_string(number));
    EXPECT_EQ(w.teller->lost_batches("damaged"), 0U);
    if (HasFailure()) return;
  }
}

// In the mode `batch`, everything that was sent is synced, so no power loss can lose it.
TEST_F(SpoolFaults, SurviveAPowerLossAtEveryCall) {
  const uint64_t calls = calls_of_a_life();
  for (uint64_t seed = 1; seed <= 2 * calls; ++seed) {
    SeededRandom random(seed);
    SpoolWorld w;
    w.options.sync = SpoolSync::kBatch;
    w.disk.crash_at(1 + seed / 2);
    std::set<uint64_t> sent;
    std::set<uint64_t> acknowledged;
    EXPECT_TRUE(w.start());
    for (size_t i = 0; i < kBatches; ++i) {
      w.append(3'000);
      if (w.disk.crashed()) break;
      for (int n = 0; n < 2; ++n) {
        const auto one = w.send();
        if (!one) break;
        sent.insert(one->key.second);
        if (random.below(3) == 0) continue;
        acknowledged.insert(one->key.second);
        w.spool->acknowledged(one->id);
      }
      if (i % 10 == 0) w.pass(6 * kS);
      if (w.disk.crashed()) break;
    }
    w.lose_power(random);
    EXPECT_TRUE(w.start());
    std::set<uint64_t> got;
    for (const Key& key : w.drain()) {
      if (key.first == incarnation(1)) got.insert(key.second);
    }
    for (const uint64_t sequence : sent) {
      const bool known = got.contains(sequence) || acknowledged.contains(sequence);
      EXPECT_TRUE(known) << "seed " << seed << " lost " << sequence;
    }
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace monitor::agent

#include "config/etcd/exclusive_key.h"

#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"
#include "config/etcd/messages.h"
#include "config/etcd/testing/fake_etcd.h"

namespace monitor::config {
namespace {

constexpr const char* kKey = "/monitor/leases/notifier";

class ExclusiveKeyTest : public ::testing::Test {
 protected:
  std::unique_ptr<ExclusiveKey> instance(EtcdClient& client, const std::string& owner) {
    return std::make_unique<ExclusiveKey>(timers_, client, ExclusiveKeyOptions{.key = kKey, .owner = owner});
  }
  void advance(int64_t ms) { timers_.advance(ms * kNanosPerMilli); }

  FakeTimers timers_;
  FakeEtcd etcd_{timers_};
  EtcdClient client_a_{timers_, etcd_.connector(), {}};
  EtcdClient client_b_{timers_, etcd_.connector(), {}};
};

TEST_F(ExclusiveKeyTest, OneOfTwoHoldsItForAsLongAsItLives) {
  auto a = instance(client_a_, "a");
  advance(10);
  auto b = instance(client_b_, "b");
  for (int second = 0; second < 60; ++second) {
    advance(1'000);
    EXPECT_TRUE(a->held());
    EXPECT_FALSE(b->held());
  }
  EXPECT_EQ(b->holder(), "a");
  EXPECT_EQ(etcd_.find(kKey)->value(), "a");
}

TEST_F(ExclusiveKeyTest, TheNextOneTakesItWhenTheLeaseEnds) {
  auto a = instance(client_a_, "a");
  advance(10);
  auto b = instance(client_b_, "b");
  advance(1'000);
  const int64_t lease = etcd_.find(kKey)->lease();
  a.reset();
  advance(5'000);
  EXPECT_FALSE(b->held()) << "a's lease has not ended";
  etcd_.expire_lease(lease);
  advance(3'000);
  EXPECT_TRUE(b->held());
}

TEST_F(ExclusiveKeyTest, TheNextOneTakesItSoonAfterAnOrderlyStop) {
  auto a = instance(client_a_, "a");
  advance(10);
  auto b = instance(client_b_, "b");
  advance(1'000);
  bool done = false;
  a->stop([&] { done = true; });
  EXPECT_FALSE(a->held()) << "from the call on";
  advance(3'000);
  EXPECT_TRUE(done);
  EXPECT_TRUE(b->held());
}

TEST_F(ExclusiveKeyTest, AHolderThatEtcdDoesNotAnswerStopsBeforeItsLeaseEnds) {
  auto a = instance(client_a_, "a");
  advance(1'000);
  ASSERT_TRUE(a->held());
  etcd_.silent = true;
  advance(5'000);
  EXPECT_TRUE(a->held()) << "etcd keeps the lease for longer";
  advance(5'500);
  EXPECT_FALSE(a->held());
  etcd_.silent = false;
  advance(5'000);
  EXPECT_TRUE(a->held());
}

TEST_F(ExclusiveKeyTest, SaysForHowLongEtcdHasBeenSilentAndWhoHadTheKey) {
  auto a = instance(client_a_, "a");
  advance(10);
  auto b = instance(client_b_, "b");
  advance(5'000);
  EXPECT_EQ(a->silent_ns(), 0);
  EXPECT_TRUE(a->last_held());
  EXPECT_FALSE(b->last_held());
  etcd_.silent = true;
  advance(60'000);
  EXPECT_FALSE(a->held());
  EXPECT_TRUE(a->last_held());
  EXPECT_GE(a->silent_ns(), 58 * kNanosPerSecond);
  EXPECT_GE(b->silent_ns(), 58 * kNanosPerSecond);
  EXPECT_FALSE(b->last_held());
}

TEST_F(ExclusiveKeyTest, TheLastHolderKeepsTheKeyWhenEtcdComesBack) {
  auto b = instance(client_b_, "b");  // its timers come first
  advance(10);
  b->stop([] {});
  advance(10);
  auto a = instance(client_a_, "a");
  b = instance(client_b_, "b");
  advance(5'000);
  ASSERT_TRUE(a->held());
  for (int round = 0; round < 5; ++round) {
    etcd_.silent = true;
    advance(60'000 + 700 * round);
    etcd_.expire_lease(etcd_.find(kKey)->lease());  // the key is gone
    etcd_.silent = false;
    advance(5'000);
    EXPECT_TRUE(a->held());
    EXPECT_FALSE(b->held());
    EXPECT_EQ(a->silent_ns(), 0);
    advance(20'000);
    EXPECT_EQ(b->silent_ns(), 0);
  }
  etcd_.silent = true;
  advance(30'000);
  const int64_t lease = etcd_.find(kKey)->lease();
  a.reset();
  etcd_.expire_lease(lease);
  etcd_.silent = false;
  advance(15'000);
  EXPECT_TRUE(b->held()) << "the last holder is dead";
}

TEST_F(ExclusiveKeyTest, TakesANewLeaseWhenItsOwnIsGone) {
  auto a = instance(client_a_, "a");
  advance(1'000);
  etcd_.expire_lease(etcd_.find(kKey)->lease());
  advance(5'000);
  EXPECT_TRUE(a->held());
  EXPECT_EQ(etcd_.find(kKey)->value(), "a");
}

TEST_F(ExclusiveKeyTest, TakesTheKeyAgainWhenSomebodyDeletedIt) {
  auto a = instance(client_a_, "a");
  advance(1'000);
  etcd_.remove(kKey);
  advance(3'000);
  EXPECT_TRUE(a->held());
  EXPECT_NE(etcd_.find(kKey), nullptr);
}

TEST_F(ExclusiveKeyTest, HasNotAnsweredWithoutAnEtcd) {
  etcd_.down = {0};
  auto a = instance(client_a_, "a");
  advance(20'000);
  EXPECT_FALSE(a->answered());
  EXPECT_FALSE(a->held());
  etcd_.down.clear();
  advance(5'000);
  EXPECT_TRUE(a->answered());
  EXPECT_TRUE(a->held());
}

}  // namespace
}  // namespace monitor::config

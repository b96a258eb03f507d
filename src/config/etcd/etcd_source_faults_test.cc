// EtcdSource: etcd is silent, slow, overloaded, answers nonsense, or is not there.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/testing/fake_clock.h"
#include "config/document.h"
#include "config/etcd/messages.h"
#include "config/etcd/testing/etcd_source_fixture.h"

namespace monitor::config {
namespace {

TEST_F(EtcdSourceTest, LostEventIsFoundWithinAMinute) {
  start();
  etcd_.lose_events = true;
  etcd_.put(kOwn, "lost");
  advance(1000);
  EXPECT_EQ(value(), "-");
  etcd_.lose_events = false;
  advance(60'000);
  EXPECT_EQ(value(), "lost");
  EXPECT_EQ(state().missed, 1U);
  EXPECT_TRUE(state().watching);
  EXPECT_TRUE(lost_.empty()) << "the source must not be reported as lost";
  etcd_.lose_events = true;
  etcd_.remove(kOwn);
  etcd_.lose_events = false;
  advance(60'100);
  EXPECT_EQ(value(), "-") << "deletions too";
}

// etcd 3.4.23 drops single events: of a deletion that is compacted, and of a creation right after one. Events of other
// keys go on arriving, so nothing looks wrong.
TEST_F(EtcdSourceTest, OneLostEventAmongOthersHealsWithinAMinute) {
  etcd_.put(kOwn, "first");
  start();
  const auto others_go_on = [this](int seconds) {
    for (int i = 0; i < seconds; ++i) {
      etcd_.put(kDefaults, std::to_string(++others_));
      advance(1000);
      ASSERT_EQ(value(kDefaults), std::to_string(others_));
    }
  };
  others_go_on(15);
  ASSERT_EQ(value(), "first");
  etcd_.lost_events = {kOwn};
  etcd_.remove(kOwn);
  others_go_on(1);
  EXPECT_EQ(value(), "first") << "the event is lost";
  others_go_on(59);
  EXPECT_EQ(value(), "-") << "a deletion";
  etcd_.lost_events = {kOwn};
  etcd_.put(kOwn, "created");
  others_go_on(60);
  EXPECT_EQ(value(), "created");
  etcd_.lost_events = {kOwn};
  etcd_.put(kOwn, "changed");
  others_go_on(60);
  EXPECT_EQ(value(), "changed");
  EXPECT_GE(state().missed, 2U);
  EXPECT_TRUE(lost_.empty());
}

TEST_F(EtcdSourceTest, SpreadsReconciliation) {
  start();
  const size_t before = etcd_.calls_of(kTxnPath);
  advance(29'900);
  EXPECT_EQ(etcd_.calls_of(kTxnPath), before);
  advance(600'000);
  const size_t reads = etcd_.calls_of(kTxnPath) - before;
  EXPECT_GE(reads, 10U);
  EXPECT_LE(reads, 21U);
}

TEST_F(EtcdSourceTest, SilentServerIsNoticedWithinFifteenSeconds) {
  etcd_.put(kOwn, "one");
  start(2);
  for (int i = 0; i < 5; ++i) {
    etcd_.put(kOwn, "two");
    advance(1000);
  }
  etcd_.silent = true;
  advance(15'000);
  ASSERT_EQ(lost_.size(), 1U);
  EXPECT_FALSE(state().watching);
  EXPECT_EQ(client_->endpoint(), "etcd-1");
  etcd_.silent = false;
  advance(15'000);  // first, the read that started during the silence fails
  EXPECT_TRUE(state().watching);
}

TEST_F(EtcdSourceTest, WaitsLongerForASlowEtcd) {
  etcd_.put(kOwn, "one");
  etcd_.silent = true;
  start(2);
  advance(5'000);
  EXPECT_EQ(lost_.size(), 1U);
  size_t before = lost_.size();
  advance(120'000);
  // Timeouts of 5, 10, 20 and 30 s, and the pauses between them, instead of one every 5 s.
  EXPECT_GE(lost_.size(), before + 3);
  EXPECT_LE(lost_.size(), before + 8);
  etcd_.silent = false;
  advance(60'000);
  EXPECT_TRUE(state().watching);
}

TEST_F(EtcdSourceTest, ProbesOnlyInSilence) {
  start();
  const size_t before = etcd_.calls_of(kRangePath);
  for (int i = 0; i < 20; ++i) {
    etcd_.put(kOwn, std::to_string(i));
    advance(1000);
  }
  EXPECT_EQ(etcd_.calls_of(kRangePath), before);
  advance(40'000);
  EXPECT_GE(etcd_.calls_of(kRangePath), before + 2);
  EXPECT_TRUE(lost_.empty());
}

TEST_F(EtcdSourceTest, LeavesAnUnconfirmedWatch) {
  etcd_.without_watches = true;
  start();
  advance(6000);
  ASSERT_FALSE(lost_.empty());
  etcd_.without_watches = false;
  advance(60'000);
  EXPECT_TRUE(state().watching);
}

TEST_F(EtcdSourceTest, AnOverloadedEtcdKeepsItsWatches) {
  etcd_.put(kOwn, "one");
  start(1);
  etcd_.overloaded = true;
  advance(120'000);  // reads that fail
  EXPECT_TRUE(state().watching);
  EXPECT_EQ(state().lost, 0U);
  etcd_.put(kOwn, "two");
  advance(1);
  EXPECT_EQ(heard_.entries.at(kOwn).value, "two");
}

TEST_F(EtcdSourceTest, LostLeaderMovesOn) {
  start(3);
  etcd_.break_calls({Code::kUnavailable, "etcdserver: no leader"});
  advance(2000);
  EXPECT_TRUE(state().watching);
  EXPECT_EQ(client_->endpoint(), "etcd-1");
  EXPECT_EQ(state().lost, 1U);
}

TEST_F(EtcdSourceTest, ReportsRecoveryWithoutANewRevision) {
  etcd_.put(kOwn, "one");
  start();
  for (int i = 0; i < 5; ++i) etcd_.put("/elsewhere", "x");
  etcd_.break_calls({Code::kUnavailable, "gone"});
  advance(2000);
  EXPECT_EQ(calls_, 2) << "one more call reports that the source is back";
  EXPECT_EQ(heard_.revision, 2) << "no watched key has changed";
}

TEST_F(EtcdSourceTest, ReauthenticatesAfterARejectedWatch) {
  etcd_.user = "agent";
  etcd_.password = "secret";
  start(1, {"agent", "secret"});
  EXPECT_TRUE(state().watching);
  etcd_.refuse_watches = true;
  etcd_.break_calls({Code::kUnavailable, "gone"});
  advance(120'000);
  EXPECT_FALSE(state().watching);
  EXPECT_LE(client_->authentications(), 30U) << "it must not authenticate in a loop";
  EXPECT_GE(client_->authentications(), 3U);
  etcd_.refuse_watches = false;
  advance(31'000);
  EXPECT_TRUE(state().watching);
}

TEST_F(EtcdSourceTest, AssemblesFragments) {
  start();
  // Two changes in one transaction, delivered in pieces.
  etcd_.lose_events = true;
  pb::WatchResponse first = event("one", etcd_.put(kOwn, "one"));
  first.set_fragment(true);
  pb::WatchResponse second = event("two", etcd_.put(kOwn, "two"));
  etcd_.send_to_watches(first);
  advance(0);
  EXPECT_EQ(calls_, 1) << "it must wait for the last piece";
  etcd_.send_to_watches(second);
  advance(0);
  EXPECT_EQ(value(), "two");
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(etcd_.calls_of(kTxnPath), 2U) << "the watch reported it, not a read";
}

TEST_F(EtcdSourceTest, FailsOnEndlessFragments) {
  start();
  pb::WatchResponse piece = event("", 5);
  piece.mutable_events(0)->mutable_kv()->mutable_value()->resize(10'000'000, 'x');
  piece.set_fragment(true);
  for (int i = 0; i < 8; ++i) {
    etcd_.send_to_watches(piece);
    advance(0);
  }
  EXPECT_EQ(lost_.size(), 1U);
}

TEST_F(EtcdSourceTest, StartsBeforeEtcd) {
  etcd_.down = {0};
  start();
  EXPECT_EQ(calls_, 0);
  EXPECT_EQ(lost_.size(), 1U);
  advance(600'000);
  EXPECT_LE(etcd_.opened.size(), 80U);
  EXPECT_GE(etcd_.opened.size(), 20U);
  etcd_.put(kOwn, "one");
  etcd_.down.clear();
  advance(30'000);
  EXPECT_EQ(value(), "one");
}

TEST_F(EtcdSourceTest, SpreadsReconnects) {
  // After the same failure, different sources wait for different times.
  std::set<int64_t> returns;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    FakeTimers timers;
    FakeEtcd etcd(timers);
    SeededRandom random(seed);
    EtcdClient client(timers, etcd.connector(), {});
    EtcdSource source(timers, random, client);
    source.watch({{kOwn}}, *this);
    timers.advance(kNanosPerMilli);
    etcd.break_calls({Code::kUnavailable, "gone"});
    int64_t waited = 0;
    for (; source.state().established < 2; ++waited) timers.advance(10 * kNanosPerMilli);
    returns.insert(waited);
  }
  EXPECT_GE(returns.size(), 10U);
  EXPECT_LE(*returns.rbegin(), 101) << "the first wait is at most one second";
}

TEST_F(EtcdSourceTest, GarbageIsAFailure) {
  start();
  pb::WatchResponse response;
  *response.mutable_header() = etcd_.header();
  response.set_canceled(true);
  response.set_cancel_reason("because");
  etcd_.send_to_watches(response);
  advance(0);
  ASSERT_EQ(lost_.size(), 1U);
  EXPECT_NE(lost_[0].message().find("because"), std::string::npos);
  advance(2000);
  EXPECT_TRUE(state().watching);
}

}  // namespace
}  // namespace monitor::config

// EtcdSource: what it reads and watches, and which snapshots it reports. Time only passes when the test advances it.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

#include "config/document.h"
#include "config/etcd/messages.h"
#include "config/etcd/testing/etcd_source_fixture.h"

namespace monitor::config {
namespace {

TEST_F(EtcdSourceTest, ReadsThenWatchesFromTheRevisionAfter) {
  etcd_.put(kOwn, "one");
  start();
  EXPECT_EQ(value(), "one");
  EXPECT_EQ(heard_.revision, 2);
  EXPECT_TRUE(state().watching);
  etcd_.put(kOwn, "two");
  advance(0);
  EXPECT_EQ(value(), "two");
  EXPECT_EQ(heard_.revision, 3);
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(etcd_.calls_of(kTxnPath), 2U) << "one read, and one confirmation that the watches are in step";
}

TEST_F(EtcdSourceTest, ChangeBetweenReadAndWatchIsNotLost) {
  etcd_.put(kOwn, "one");
  etcd_.before_call = [this](std::string_view path) {
    if (path == kWatchPath && etcd_.revision == 2) etcd_.put(kOwn, "two");
  };
  start();
  EXPECT_EQ(value(), "two");
}

TEST_F(EtcdSourceTest, SameValueAgainRaisesTheRevision) {
  etcd_.put(kOwn, "one");
  start();
  etcd_.put(kOwn, "one");
  advance(0);
  EXPECT_EQ(heard_.revision, 3) << "otherwise, waiting for that revision would never end";
}

TEST_F(EtcdSourceTest, ForeignChangesAdvanceTheRevisionAtTheNextRead) {
  start();
  const int64_t before = heard_.revision;
  for (int i = 0; i < 10; ++i) etcd_.put("/monitor/status/b", "x");
  advance(1'000);
  EXPECT_EQ(calls_, 1);
  advance(120'000);
  EXPECT_EQ(calls_, 2) << "reported once, not after every read";
  EXPECT_EQ(heard_.revision, before + 10) << "the keys are unchanged up to that revision";
}

TEST_F(EtcdSourceTest, ReportsABurstOnce) {
  start();
  for (int i = 0; i < 1000; ++i) etcd_.put(kOwn, std::to_string(i));
  advance(1);
  EXPECT_EQ(value(), "999");
  EXPECT_EQ(calls_, 2);
}

TEST_F(EtcdSourceTest, DoesNotReportWhileOneWatchLags) {
  etcd_.put(kDefaults, "old");
  etcd_.put(kOwn, "old");
  start();
  etcd_.lagging = {kDefaults};
  etcd_.put(kDefaults, "new");
  const int64_t last = etcd_.put(kOwn, "new");
  advance(0);
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(value(), "new");
  EXPECT_EQ(value(kDefaults), "new") << "the other combination never existed";
  EXPECT_EQ(heard_.revision, last);
  etcd_.catch_up();
  advance(0);
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(state().duplicates, 1U);
  EXPECT_EQ(state().established, 1U);
}

TEST_F(EtcdSourceTest, ReportsAtOnceWhenWatchesAreInStep) {
  start();
  advance(11'000);
  const int64_t last = etcd_.put(kOwn, "one");
  advance(0);
  EXPECT_EQ(value(), "one");
  EXPECT_EQ(heard_.revision, last);
  EXPECT_EQ(etcd_.calls_of(kTxnPath), 1U) << "a change of the whole fleet must cause no reads";
  // New watches must be confirmed again.
  etcd_.break_calls({Code::kUnavailable, "gone"});
  advance(2'000);
  etcd_.lagging = {kDefaults};
  etcd_.put(kDefaults, "new");
  etcd_.put(kOwn, "two");
  advance(0);
  EXPECT_EQ(value(), "two");
  EXPECT_EQ(value(kDefaults), "new");
}

// Whichever watches lag, and whenever a read is answered, each reported snapshot must be consistent and contain all
// changes up to its revision.
TEST_F(EtcdSourceTest, ReportsConsistentSnapshots) {
  SeededRandom draw(3);
  std::map<int64_t, std::map<std::string, std::string>> history;
  std::map<std::string, std::string> now;
  const auto write = [&] {
    const std::string key = draw.below(2) == 0 ? kOwn : kDefaults;
    if (draw.below(4) == 0) {
      now.erase(key);
      etcd_.remove(key);
    } else {
      etcd_.put(key, now[key] = std::to_string(etcd_.revision));
    }
    history[etcd_.revision] = now;
  };
  // Other clients also write between a request and its answer.
  etcd_.before_call = [&](std::string_view path) {
    if (path == kTxnPath && draw.below(3) == 0) write();
  };
  history[etcd_.revision] = now;
  start();
  int judged = calls_;
  for (int i = 0; i < 2'000; ++i) {
    if (draw.below(8) == 0) etcd_.catch_up();
    if (draw.below(8) == 0) etcd_.lagging.insert(draw.below(2) == 0 ? kOwn : kDefaults);
    etcd_.answer_after_ns = static_cast<int64_t>(draw.below(3)) * kNanosPerMilli;
    write();
    advance(static_cast<int64_t>(draw.below(3)));
    if (calls_ == judged) continue;
    judged = calls_;
    std::map<std::string, std::string> told;
    for (const auto& [key, entry] : heard_.entries) told[key] = entry.value;
    const auto since = std::prev(history.upper_bound(heard_.revision));
    ASSERT_TRUE(std::any_of(since, history.end(), [&](const auto& one) { return one.second == told; })) << "step " << i;
  }
  EXPECT_GT(calls_, 500);
  etcd_.before_call = nullptr;
  etcd_.catch_up();
  advance(10);
  EXPECT_EQ(value(), now.contains(kOwn) ? now[kOwn] : "-");
  EXPECT_EQ(value(kDefaults), now.contains(kDefaults) ? now[kDefaults] : "-");
  EXPECT_EQ(state().missed, 0U);
}

TEST_F(EtcdSourceTest, ReportsProgressUnderConstantWrites) {
  start();
  etcd_.answer_after_ns = kNanosPerMilli;
  for (int i = 0; i < 1'000; ++i) {
    etcd_.put(kOwn, std::to_string(i));
    advance(1);
  }
  EXPECT_GE(calls_, 200);
  advance(10);
  EXPECT_EQ(value(), "999");
}

TEST_F(EtcdSourceTest, RetriesAnUnconfirmedChange) {
  start();
  etcd_.refuse_txns = 3;
  etcd_.put(kOwn, "one");
  advance(1);
  EXPECT_EQ(value(), "-");
  advance(15'000);
  EXPECT_EQ(value(), "one");
  EXPECT_EQ(state().lost, 0U) << "the watch itself did not fail";
}

TEST_F(EtcdSourceTest, OversizedDocumentIsAFault) {
  etcd_.put(kOwn, std::string(kMaxDocumentBytes + 1, 'x'));
  start();
  ASSERT_TRUE(heard_.entries.contains(kOwn));
  ASSERT_TRUE(heard_.entries[kOwn].fault);
  EXPECT_EQ(heard_.entries[kOwn].fault->code(), Code::kResourceExhausted);
  EXPECT_EQ(heard_.entries[kOwn].fault->message(), "document: 262145 bytes, the limit is 262144");
}

TEST_F(EtcdSourceTest, RescanReadsNow) {
  start();
  etcd_.lose_events = true;
  etcd_.put(kOwn, "lost");
  source_->rescan();
  advance(1);
  EXPECT_EQ(value(), "lost");
  etcd_.down = {0};
  etcd_.break_calls({Code::kUnavailable, "gone"});
  advance(100'000);
  etcd_.down.clear();
  source_->rescan();
  advance(1);
  EXPECT_TRUE(state().watching);
}

TEST_F(EtcdSourceTest, DestructionLeavesNothingPending) {
  start();
  source_.reset();
  client_.reset();
  EXPECT_EQ(etcd_.watch_streams(), 0U);
  EXPECT_TRUE(timers_.idle());
}

}  // namespace
}  // namespace monitor::config

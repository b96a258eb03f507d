// Everything that can go wrong with a watch, with an etcd in memory. Time only passes when the test advances it.
#include "config/etcd/etcd_source.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "config/document.h"
#include "config/etcd/messages.h"
#include "config/etcd/testing/fake_etcd.h"

namespace monitor::config {
namespace {

const std::string kOwn = "/monitor/config/a";
const std::string kDefaults = "/monitor/defaults";

class EtcdSourceTest : public ::testing::Test, protected ConfigListener {
 protected:
  void start(size_t endpoints = 1, EtcdCredentials credentials = {}) {
    client_ = std::make_unique<EtcdClient>(timers_, etcd_.connector(endpoints), std::move(credentials));
    EtcdSourceOptions options;
    options.in_step_after_ns = 10 * kNanosPerSecond;
    source_ = std::make_unique<EtcdSource>(timers_, random_, *client_, options);
    source_->watch({{kOwn, kDefaults}}, *this);
    advance(1);
  }
  void advance(int64_t ms) { timers_.advance(ms * kNanosPerMilli); }
  void on_keys(const KeySet& keys) override {
    heard_ = keys;
    ++calls_;
  }
  void on_source_lost(const Error& reason) override { lost_.push_back(reason); }
  std::string value(const std::string& key = kOwn) const {
    const auto found = heard_.entries.find(key);
    return found == heard_.entries.end() ? "-" : found->second.value;
  }
  pb::WatchResponse event(const std::string& text, int64_t mod_revision) const {
    pb::WatchResponse response;
    *response.mutable_header() = etcd_.header();
    pb::KeyValue& kv = *response.add_events()->mutable_kv();
    kv.set_key(kOwn);
    kv.set_value(text);
    kv.set_mod_revision(mod_revision);
    return response;
  }
  const EtcdSource::State& state() const { return source_->state(); }

  FakeTimers timers_;
  SeededRandom random_{7};
  FakeEtcd etcd_{timers_};
  std::unique_ptr<EtcdClient> client_;
  std::unique_ptr<EtcdSource> source_;
  KeySet heard_;
  int calls_ = 0;
  std::vector<Error> lost_;
};

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

TEST_F(EtcdSourceTest, CompactedStartReadsAgain) {
  etcd_.put(kOwn, "one");
  // The history between read and watch is compacted: etcd creates the watch, then cancels it without a revision.
  bool once = false;
  etcd_.before_call = [&](std::string_view path) {
    if (path != kWatchPath || std::exchange(once, true)) return;
    etcd_.put(kOwn, "two");
    etcd_.put(kOwn, "three");
    etcd_.compact(etcd_.revision);
  };
  start();
  EXPECT_EQ(value(), "three");
  EXPECT_EQ(heard_.revision, 4);
  EXPECT_EQ(state().compactions, 1U);
  EXPECT_TRUE(state().watching);
  EXPECT_TRUE(lost_.empty());
  etcd_.put(kOwn, "four");
  advance(0);
  EXPECT_EQ(value(), "four");
}

TEST_F(EtcdSourceTest, BacksOffUnderEndlessCompaction) {
  etcd_.put(kOwn, "one");
  etcd_.compact(1'000'000);
  start();
  advance(10'000);
  EXPECT_LE(etcd_.calls_of(kWatchPath), 20U);
  EXPECT_FALSE(lost_.empty());
}

TEST_F(EtcdSourceTest, ReadsARestoredStoreCompletely) {
  for (int i = 0; i < 10; ++i) etcd_.put(kOwn, "new");
  start();
  EXPECT_EQ(heard_.revision, 11);
  // etcd returns with an older state; the connection breaks in between.
  etcd_.restore(5, {{kOwn, "old"}});
  etcd_.break_calls({Code::kUnavailable, "restarting"});
  advance(60'000);
  EXPECT_EQ(value(), "old");
  EXPECT_EQ(heard_.revision, 5);
  EXPECT_EQ(state().restores, 1U);
  etcd_.put(kOwn, "newer");
  advance(0);
  EXPECT_EQ(value(), "newer") << "although revision 6 was seen before";
  EXPECT_EQ(heard_.revision, 6);
}

TEST_F(EtcdSourceTest, DetectsARestoredStoreWithNewerWrites) {
  for (int i = 0; i < 10; ++i) etcd_.put(kOwn, "new");
  start();
  etcd_.restore(5, {{kOwn, "old"}});
  for (int i = 0; i < 20; ++i) etcd_.put("/monitor/status/b", "others are back already");
  etcd_.break_calls({Code::kUnavailable, "restarting"});
  advance(60'000);
  EXPECT_EQ(value(), "old") << "although its revision is lower than seen before and the store's is not";
  EXPECT_EQ(heard_.revision, 25);
}

TEST_F(EtcdSourceTest, DetectsARestoreBehindALiveConnection) {
  for (int i = 0; i < 10; ++i) etcd_.put(kOwn, "new");
  start();
  etcd_.restore(5, {{kOwn, "old"}});
  advance(60'100);
  EXPECT_EQ(value(), "old");
  EXPECT_EQ(state().restores, 1U);
}

TEST_F(EtcdSourceTest, LeavesAMemberThatIsBehind) {
  etcd_.put(kOwn, "one");
  etcd_.put(kOwn, "two");
  etcd_.created_revision = 1;  // the watch would be silent until this member catches up
  start(2);
  advance(100);
  EXPECT_FALSE(state().watching);
  ASSERT_FALSE(lost_.empty());
  EXPECT_NE(lost_[0].message().find("behind"), std::string::npos);
  etcd_.created_revision = 0;
  advance(60'000);
  EXPECT_TRUE(state().watching);
  EXPECT_GE(etcd_.opened.size(), 2U) << "another endpoint";
}

// etcd sends events and confirmations from separate queues: an event of the first watch may overtake the confirmation
// of the second watch.
TEST_F(EtcdSourceTest, AppliesAnEventThatOvertakesAConfirmation) {
  const int64_t read = etcd_.put(kOwn, "zero");
  etcd_.created_revision = read;
  etcd_.before_call = [this, read](std::string_view path) {
    if (path == kWatchPath && etcd_.revision == read) etcd_.put(kOwn, "one");
  };
  start();
  EXPECT_TRUE(lost_.empty());
  EXPECT_TRUE(state().watching);
  EXPECT_EQ(value(), "one");
}

TEST_F(EtcdSourceTest, ReadsAnotherClusterCompletely) {
  for (int i = 0; i < 10; ++i) etcd_.put(kOwn, "new");
  start();
  etcd_.cluster_id = 78;
  etcd_.restore(40, {{kOwn, "other"}});
  etcd_.send_to_watches(event("x", 41));
  advance(60'000);
  EXPECT_EQ(value(), "other");
  EXPECT_EQ(heard_.revision, 40);
  EXPECT_EQ(state().restores, 1U);
}

TEST_F(EtcdSourceTest, DropsLateAndDuplicateEvents) {
  etcd_.put(kOwn, "one");
  start();
  etcd_.put(kOwn, "two");
  advance(0);
  const int before = calls_;
  etcd_.send_to_watches(event("one", 2));
  etcd_.send_to_watches(event("two", 3));
  advance(0);
  EXPECT_EQ(calls_, before);
  EXPECT_EQ(state().duplicates, 2U);
  etcd_.remove(kOwn);
  advance(0);
  etcd_.send_to_watches(event("two", 3));
  advance(0);
  EXPECT_EQ(value(), "-") << "a late event must not restore a deleted key";
}

TEST_F(EtcdSourceTest, RecreatedKeyIsNew) {
  etcd_.put(kOwn, "one");
  etcd_.put(kOwn, "two");
  start();
  etcd_.remove(kOwn);
  etcd_.put(kOwn, "three");  // version 1
  advance(0);
  EXPECT_EQ(value(), "three");
}

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

TEST_F(EtcdSourceTest, OversizedDocumentIsAFault) {
  etcd_.put(kOwn, std::string(kMaxDocumentBytes + 1, 'x'));
  start();
  ASSERT_TRUE(heard_.entries.contains(kOwn));
  ASSERT_TRUE(heard_.entries[kOwn].fault);
  EXPECT_EQ(heard_.entries[kOwn].fault->code(), Code::kResourceExhausted);
  EXPECT_EQ(heard_.entries[kOwn].fault->message(), "document: 262145 bytes, the limit is 262144");
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

TEST_F(EtcdSourceTest, DestructionLeavesNothingPending) {
  start();
  source_.reset();
  client_.reset();
  EXPECT_EQ(etcd_.watch_streams(), 0U);
  EXPECT_TRUE(timers_.idle());
}

}  // namespace
}  // namespace monitor::config

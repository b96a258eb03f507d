// EtcdSource: etcd's history is not the one that was watched: compaction, restored backups, members that are behind.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "config/document.h"
#include "config/etcd/messages.h"
#include "config/etcd/testing/etcd_source_fixture.h"

namespace monitor::config {
namespace {

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

}  // namespace
}  // namespace monitor::config

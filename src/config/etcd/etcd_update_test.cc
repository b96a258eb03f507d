// Changes with records: one transaction, noticed changes, bounds, and the history that is read from them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"
#include "config/document.h"
#include "config/etcd/etcd_store.h"
#include "config/etcd/testing/fake_etcd.h"
#include "config/history/trail.h"
#include "config/keys.h"

namespace monitor::config {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;
using Text = std::optional<std::string>;

const std::string kKey = "/monitor/config/a";

class EtcdUpdateTest : public ::testing::Test {
 protected:
  EtcdUpdateTest()
      : client_(timers_, etcd_.connector(2), {}),
        store_(timers_, client_, [this] { timers_.advance(kNanosPerMilli); }) {}

  ChangeNote note(const std::string& author) const {
    return {author, AuthorKind::kEtcdUser, "", "why", "set", timers_.clock().wall_ns()};
  }
  Result<int64_t> set(const Text& text, const std::string& author = "alice",
                      const std::function<void()>& meanwhile = nullptr) {
    return store_.update_noted(kKey, note(author),
                               [&, once = meanwhile](const std::optional<Stored>&) mutable -> Result<Text> {
                                 if (const auto action = std::exchange(once, nullptr)) action();
                                 return text;
                               });
  }
  // "REVISION=VALUE by AUTHOR".
  std::vector<std::string> history(size_t most = 100) {
    const auto found = store_.history(kKey, most);
    EXPECT_TRUE(found) << found.error().message();
    std::vector<std::string> out;
    for (const Version& one : (*found)->versions) {
      out.push_back(std::to_string(one.stored.revision) + (one.deleted ? " deleted" : "=" + one.stored.value) + " by " +
                    (one.recorded ? one.note.author : "unknown"));
    }
    return out;
  }
  const pb::KeyValue* record(uint64_t number) const { return etcd_.find(history_key(kKey, number)); }

  FakeTimers timers_;
  FakeEtcd etcd_{timers_};
  EtcdClient client_;
  EtcdStore store_;
};

TEST_F(EtcdUpdateTest, ARecordHasTheRevisionOfItsChange) {
  const auto done = set("one");
  ASSERT_TRUE(done) << done.error().message();
  ASSERT_NE(record(1), nullptr);
  EXPECT_EQ(record(1)->mod_revision(), etcd_.find(kKey)->mod_revision());
  EXPECT_EQ(*done, etcd_.find(kKey)->mod_revision());
  ASSERT_TRUE(set(std::nullopt, "bob"));
  EXPECT_THAT(history(), ElementsAre("3 deleted by bob", "2=one by alice"));
}

TEST_F(EtcdUpdateTest, NothingChangesWithoutItsRecord) {
  // Another change takes the number of the record in between; the loser sees it and comes after it.
  ASSERT_TRUE(set("one"));
  ASSERT_TRUE(set("mine", "alice", [this] {
    etcd_.put(kKey, "theirs");
    etcd_.put(history_key(kKey, 2), R"({"v":1,"number":2,"at":"2026-01-01T00:00:00Z","author":"bob","text":"theirs"})");
  }));
  EXPECT_EQ(etcd_.find(kKey)->value(), "mine");
  ASSERT_NE(record(3), nullptr);
  EXPECT_EQ(record(4), nullptr);
}

TEST_F(EtcdUpdateTest, SurvivesTheCompactionOfTheRevisions) {
  ASSERT_TRUE(set("one"));
  ASSERT_TRUE(set("two", "bob"));
  for (int i = 0; i < 20; ++i) etcd_.put("/monitor/config/other", std::to_string(i));
  etcd_.compact(etcd_.revision);
  EXPECT_THAT(history(), ElementsAre("3=two by bob", "2=one by alice"));
}

TEST_F(EtcdUpdateTest, ShowsAndRecordsWhatWasChangedByHand) {
  ASSERT_TRUE(set("one"));
  etcd_.put(kKey, "by hand");
  EXPECT_THAT(history(), ElementsAre("3=by hand by unknown", "2=one by alice"));
  etcd_.put(kKey, "again");
  ASSERT_TRUE(set("two", "bob"));
  EXPECT_THAT(history(), ElementsAre("5=two by bob", "4=again by unknown", "3=by hand by unknown", "2=one by alice"));
  etcd_.compact(etcd_.revision);
  EXPECT_THAT(history(), ElementsAre("5=two by bob", "4=again by unknown", "2=one by alice"))
      << "the change that was noticed has a record";
  etcd_.remove(kKey);
  EXPECT_THAT(history()[0], StartsWith("6 deleted by unknown"));
}

TEST_F(EtcdUpdateTest, IsBounded) {
  for (int i = 0; i < 120; ++i) ASSERT_TRUE(set(std::to_string(i)));
  size_t records = 0;
  for (uint64_t number = 1; number <= 120; ++number) records += record(number) == nullptr ? 0 : 1;
  EXPECT_EQ(records, kMostChanges + 1);
  EXPECT_NE(record(120), nullptr);
}

TEST_F(EtcdUpdateTest, TheTrailsOfManyDocumentsAreShorter) {
  for (size_t i = 0; i <= kMostRecordsInAll; ++i) {
    etcd_.put(history_key("/monitor/config/agent-" + std::to_string(i), 1), "{}");
  }
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(set(std::to_string(i)));
  EXPECT_EQ(record(30 - kMostChangesOfMany - 1), nullptr);
  EXPECT_NE(record(30 - kMostChangesOfMany), nullptr);
}

TEST_F(EtcdUpdateTest, ADamagedRecordStopsNoChange) {
  ASSERT_TRUE(set("one"));
  etcd_.put(history_key(kKey, 7), "\xff not a record");
  ASSERT_TRUE(set("two"));
  EXPECT_NE(record(8), nullptr) << "the text before, whose author is not known";
  EXPECT_NE(record(9), nullptr);
  EXPECT_EQ(etcd_.find(kKey)->value(), "two");
  EXPECT_FALSE(history().empty());
}

TEST_F(EtcdUpdateTest, AWriteWhoseAnswerIsLostHasOneRecord) {
  ASSERT_TRUE(set("one"));
  int calls = 0;
  // The first call reads, the second one writes.
  etcd_.before_call = [this, &calls](std::string_view) { etcd_.drop_answers = ++calls == 2; };
  const auto done = set("two");
  ASSERT_TRUE(done) << done.error().message();
  etcd_.before_call = nullptr;
  etcd_.drop_answers = false;
  EXPECT_THAT(history(), ElementsAre("3=two by alice", "2=one by alice"));
}

TEST_F(EtcdUpdateTest, RolesFromBeforeTheHistoryDoNotStopChanges) {
  etcd_.denied_prefix = std::string(kHistoryRoot);
  ASSERT_TRUE(set("one"));
  EXPECT_EQ(etcd_.find(kKey)->value(), "one");
  EXPECT_EQ(record(1), nullptr);
}

TEST_F(EtcdUpdateTest, RecordsOverrides) {
  const std::string key = agent_overrides("a") + "manual";
  ASSERT_TRUE(store_.put_noted_for(key, note("alice"), R"({"interval": 1})", 10 * kNanosPerSecond));
  ASSERT_NE(etcd_.find(key), nullptr);
  EXPECT_NE(etcd_.find(key)->lease(), 0);
  ASSERT_NE(etcd_.find(history_key(key, 1)), nullptr);
  EXPECT_EQ(etcd_.find(history_key(key, 1))->lease(), 0) << "the record outlives the override";
}

TEST_F(EtcdUpdateTest, OtherKeysHaveNoRecords) {
  ASSERT_TRUE(store_.update_noted("/monitor/silences/x", note("alice"),
                                  [](const std::optional<Stored>&) -> Result<Text> { return Text("y"); }));
  EXPECT_EQ(store_.list("/monitor-history/")->size(), 0U);
}

TEST_F(EtcdUpdateTest, ListsTheNewestChangesOfAll) {
  ASSERT_TRUE(set("one"));
  ASSERT_TRUE(store_.update_noted("/monitor/defaults", note("bob"),
                                  [](const std::optional<Stored>&) -> Result<Text> { return Text("{}"); }));
  const auto recent = store_.recent_changes(10);
  ASSERT_TRUE(recent);
  ASSERT_EQ(recent->size(), 2U);
  EXPECT_EQ((*recent)[0].key, "/monitor/defaults");
  EXPECT_EQ((*recent)[1].version.note.author, "alice");
}

TEST_F(EtcdUpdateTest, TheLargestDocumentFits) {
  const std::string large(kMaxDocumentBytes, '"');
  ASSERT_TRUE(set(large));
  ASSERT_NE(record(1), nullptr);
  EXPECT_LT(record(1)->value().size() + large.size(), size_t{1536} * 1024) << "etcd's limit of a request";
}

}  // namespace
}  // namespace monitor::config

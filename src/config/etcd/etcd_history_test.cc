// Old versions of a document, in an etcd with a history.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"
#include "config/etcd/etcd_store.h"
#include "config/etcd/testing/fake_etcd.h"

namespace monitor::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kKey = "/monitor/config/a";

class EtcdHistoryTest : public ::testing::Test {
 protected:
  EtcdHistoryTest()
      : client_(timers_, etcd_.connector(1), {}),
        store_(timers_, client_, [this] { timers_.advance(kNanosPerMilli); }) {}

  DocumentHistory history(size_t most = 50) {
    const auto found = store_.history(kKey, most);
    EXPECT_TRUE(found) << found.error().message();
    return found && *found ? **found : DocumentHistory{};
  }
  // "REVISION=VALUE", "REVISION deleted".
  static std::vector<std::string> shown(const DocumentHistory& history) {
    std::vector<std::string> out;
    for (const Version& one : history.versions) {
      out.push_back(std::to_string(one.stored.revision) + (one.deleted ? " deleted" : "=" + one.stored.value));
    }
    return out;
  }
  // Advances etcd's revision, as statuses do.
  void others(int many) {
    for (int i = 0; i < many; ++i) etcd_.put("/monitor/config/other", std::to_string(i));
  }

  FakeTimers timers_;
  FakeEtcd etcd_{timers_};
  EtcdClient client_;
  EtcdStore store_;
};

TEST_F(EtcdHistoryTest, NewestFirst) {
  etcd_.put(kKey, "one");
  others(5);
  etcd_.put(kKey, "two");
  etcd_.put(kKey, "three");
  others(100);
  const auto found = history();
  EXPECT_THAT(shown(found), ElementsAre("9=three", "8=two", "2=one"));
  EXPECT_TRUE(found.complete);
}

TEST_F(EtcdHistoryTest, NoDocumentEver) {
  others(100);
  const auto found = history();
  EXPECT_THAT(found.versions, IsEmpty());
  EXPECT_TRUE(found.complete);
}

TEST_F(EtcdHistoryTest, FindsWhatWasDeleted) {
  others(3);
  etcd_.put(kKey, "one");
  etcd_.put(kKey, "two");
  others(40);
  const int64_t gone = etcd_.remove(kKey);
  others(300);
  const auto found = history();
  EXPECT_THAT(shown(found), ElementsAre(std::to_string(gone) + " deleted", "6=two", "5=one"));
  EXPECT_TRUE(found.complete);
}

TEST_F(EtcdHistoryTest, GoesBackBeyondANewDocument) {
  etcd_.put(kKey, "one");
  others(40);
  const int64_t gone = etcd_.remove(kKey);
  others(40);
  const int64_t again = etcd_.put(kKey, "two");
  EXPECT_THAT(shown(history()),
              ElementsAre(std::to_string(again) + "=two", std::to_string(gone) + " deleted", "2=one"));
}

TEST_F(EtcdHistoryTest, EndsWhereEtcdWasCompacted) {
  for (int i = 0; i < 10; ++i) {
    etcd_.put(kKey, std::to_string(i));
    others(9);
  }
  etcd_.compact(55);
  const auto found = history();
  EXPECT_THAT(shown(found), ElementsAre("92=9", "82=8", "72=7", "62=6", "52=5"));
  EXPECT_FALSE(found.complete);
  etcd_.remove(kKey);
  others(20);
  etcd_.compact(etcd_.revision - 5);
  EXPECT_THAT(history().versions, IsEmpty());
  EXPECT_FALSE(history().complete);
}

TEST_F(EtcdHistoryTest, AtMostSoMany) {
  for (int i = 0; i < 10; ++i) etcd_.put(kKey, std::to_string(i));
  const auto found = history(3);
  EXPECT_THAT(shown(found), ElementsAre("11=9", "10=8", "9=7"));
  EXPECT_FALSE(found.complete);
}

TEST_F(EtcdHistoryTest, TakesTimesFromTheNewestStatusBefore) {
  etcd_.put(kKey, "one");
  etcd_.put("/monitor/status/a", R"({"updated": "2026-01-02T03:04:05Z"})");
  etcd_.put("/monitor/status/b", R"({"updated": "2026-01-02T03:04:09Z"})");
  etcd_.put(kKey, "two");
  etcd_.put("/monitor/status/a", R"({"updated": "2026-01-02T03:04:15Z"})");
  etcd_.put("/monitor/inventory/a", R"({"last_seen": "2026-01-02T03:04:16Z"})");
  etcd_.put(kKey, "three");
  const auto found = history();
  ASSERT_EQ(found.versions.size(), 3U);
  const int64_t base = int64_t{1767323040} * kNanosPerSecond;  // 2026-01-02T03:04:00Z
  EXPECT_EQ(found.versions[0].written_ns, base + 16 * kNanosPerSecond);
  EXPECT_EQ(found.versions[1].written_ns, base + 9 * kNanosPerSecond);
  EXPECT_EQ(found.versions[2].written_ns, 0) << "no agent had written anything before";
}

TEST_F(EtcdHistoryTest, SaysWhyThereIsNone) {
  etcd_.down = {0};
  EXPECT_FALSE(store_.history(kKey, 5));
  EXPECT_EQ(store_.history("/monitor/../x", 5).error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace monitor::config

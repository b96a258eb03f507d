// Compare-and-swap, and writes whose outcome is unknown.
#include "config/etcd/etcd_store.h"

#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"
#include "config/document.h"
#include "config/etcd/messages.h"
#include "config/etcd/testing/fake_etcd.h"

namespace monitor::config {
namespace {

const std::string kKey = "/monitor/config/a";
using Text = std::optional<std::string>;

class EtcdStoreTest : public ::testing::Test {
 protected:
  EtcdStoreTest()
      : client_(timers_, etcd_.connector(2), {}),
        store_(timers_, client_, [this] { timers_.advance(kNanosPerMilli); }) {}

  Result<int64_t> append(const std::string& text, const std::function<void()>& meanwhile = nullptr) {
    return store_.update(kKey, [&, once = meanwhile](const std::optional<Stored>& now) mutable -> Result<Text> {
      ++asked_;
      if (const auto action = std::exchange(once, nullptr)) action();
      return Text((now ? now->value : "") + text);
    });
  }
  std::string stored() const {
    const auto* const kv = etcd_.find(kKey);
    return kv == nullptr ? "-" : kv->value();
  }

  FakeTimers timers_;
  FakeEtcd etcd_{timers_};
  EtcdClient client_;
  EtcdStore store_;
  int asked_ = 0;
};

TEST_F(EtcdStoreTest, GetPutDelete) {
  ASSERT_TRUE(store_.get(kKey));
  EXPECT_FALSE(*store_.get(kKey));
  const auto written = append("one");
  ASSERT_TRUE(written);
  EXPECT_EQ(*written, 2);
  ASSERT_TRUE(*store_.get(kKey));
  EXPECT_EQ((*store_.get(kKey))->value, "one");
  EXPECT_EQ((*store_.get(kKey))->revision, 2);
  const auto gone = store_.update(kKey, [](const std::optional<Stored>&) -> Result<Text> { return Text(); });
  ASSERT_TRUE(gone);
  EXPECT_EQ(*gone, 3);
  EXPECT_EQ(stored(), "-");
}

TEST_F(EtcdStoreTest, RejectsHostileKeysAndSkipsStoredOnes) {
  etcd_.put(kKey, "{}");
  etcd_.put("/monitor/status/../../x", "{}");
  etcd_.put("/monitor/config/a b", "{}");
  for (const std::string key : {"/monitor/config/../x", "/monitor//a", "/monitor/a/", "", "/monitor/config/%2e"}) {
    EXPECT_EQ(store_.get(key).error().code(), Code::kInvalidArgument) << key;
    EXPECT_EQ(store_.put_for(key, "{}", kNanosPerSecond).error().code(), Code::kInvalidArgument) << key;
    EXPECT_EQ(
        store_.update(key, [](const std::optional<Stored>&) -> Result<Text> { return Text("{}"); }).error().code(),
        Code::kInvalidArgument)
        << key;
    EXPECT_EQ(store_.list(key + "/../").error().code(), Code::kInvalidArgument) << key;
  }
  ASSERT_TRUE(store_.list("/monitor/"));
  EXPECT_EQ(store_.list("/monitor/")->size(), 1U);
}

TEST_F(EtcdStoreTest, KeepsAConcurrentChange) {
  etcd_.put(kKey, "base,");
  const auto done = append("mine", [this] { etcd_.put(kKey, "base,theirs,"); });
  ASSERT_TRUE(done);
  EXPECT_EQ(stored(), "base,theirs,mine");
  EXPECT_EQ(asked_, 2);
}

TEST_F(EtcdStoreTest, HandlesConcurrentCreationAndDeletion) {
  ASSERT_TRUE(append("mine", [this] { etcd_.put(kKey, "theirs,"); }));
  EXPECT_EQ(stored(), "theirs,mine");
  ASSERT_TRUE(append("again", [this] { etcd_.remove(kKey); }));
  EXPECT_EQ(stored(), "again");
}

TEST_F(EtcdStoreTest, ErrorOfTheChangeEndsTheUpdate) {
  const auto done = store_.update(
      kKey, [](const std::optional<Stored>&) -> Result<Text> { return Error(Code::kAborted, "conflict"); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::kAborted);
  EXPECT_EQ(etcd_.revision, 1);
}

TEST_F(EtcdStoreTest, WritesNothingWithoutAChange) {
  etcd_.put(kKey, "same");
  const auto done =
      store_.update(kKey, [](const std::optional<Stored>& now) -> Result<Text> { return Text(now->value); });
  ASSERT_TRUE(done);
  EXPECT_EQ(*done, 2);
  EXPECT_EQ(etcd_.revision, 2);
}

TEST_F(EtcdStoreTest, VerifiesAWriteWhoseAnswerWasLost) {
  etcd_.put(kKey, "base,");
  // The write is executed but its answer is lost; it must not be executed twice.
  etcd_.before_call = [this](std::string_view path) { etcd_.drop_answers = path == kTxnPath && etcd_.revision == 2; };
  const auto done = append("mine");
  ASSERT_TRUE(done);
  EXPECT_EQ(stored(), "base,mine");
  EXPECT_EQ(*done, 3);
  EXPECT_EQ(asked_, 1);
}

TEST_F(EtcdStoreTest, OtherEndpointIsTried) {
  etcd_.down = {0};
  ASSERT_TRUE(append("one"));
  EXPECT_EQ(stored(), "one");
}

TEST_F(EtcdStoreTest, FailsFastWithoutEtcd) {
  etcd_.down = {0, 1};
  const int64_t begin = timers_.clock().mono_ns();
  const auto got = store_.get(kKey);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), Code::kUnavailable);
  EXPECT_NE(got.error().message().find("etcd at etcd-"), std::string::npos);
  EXPECT_LT(timers_.clock().mono_ns() - begin, kNanosPerSecond);
}

TEST_F(EtcdStoreTest, SilentEtcdEndsInTime) {
  etcd_.silent = true;
  const int64_t begin = timers_.clock().mono_ns();
  EXPECT_FALSE(append("one"));
  EXPECT_LE(timers_.clock().mono_ns() - begin, 11 * kNanosPerSecond);
}

TEST_F(EtcdStoreTest, ListsInPages) {
  for (int i = 0; i < 450; ++i) etcd_.put("/monitor/config/" + std::to_string(1000 + i), "x");
  etcd_.put("/monitor/confih", "after");
  etcd_.put("/elsewhere", "no");
  const auto all = store_.list("/monitor/config/");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 450U);
  EXPECT_EQ(all->begin()->first, "/monitor/config/1000");
}

TEST_F(EtcdStoreTest, RejectsATooLargeDocument) {
  const auto done = append(std::string(kMaxDocumentBytes + 1, 'x'));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace monitor::config

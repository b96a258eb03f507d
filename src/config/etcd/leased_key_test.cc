#include "config/etcd/leased_key.h"

#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"
#include "config/etcd/messages.h"
#include "config/etcd/testing/fake_etcd.h"
#include "config/status.h"

namespace monitor::config {
namespace {

class LeasedKeyTest : public ::testing::Test {
 protected:
  LeasedKeyTest() : client_(timers_, etcd_.connector(2), {}) {
    LeasedKeyOptions options;
    options.key = status_key("a");
    status_ = std::make_unique<LeasedKey>(timers_, random_, client_, options);
  }
  void advance(int64_t ms) { timers_.advance(ms * kNanosPerMilli); }
  std::string status() const {
    const auto* const kv = etcd_.find("/monitor/status/a");
    return kv == nullptr ? "-" : kv->value();
  }
  int64_t lease() const { return etcd_.leases.empty() ? 0 : etcd_.leases.begin()->first; }

  FakeTimers timers_;
  SeededRandom random_{3};
  FakeEtcd etcd_{timers_};
  EtcdClient client_;
  std::unique_ptr<LeasedKey> status_;
};

TEST_F(LeasedKeyTest, PutsUnderALeaseAndKeepsItAlive) {
  advance(10'000);
  EXPECT_EQ(etcd_.calls.size(), 0U) << "without a value there must be no call";
  status_->set("one");
  advance(1);
  EXPECT_EQ(status(), "one");
  EXPECT_EQ(etcd_.find("/monitor/status/a")->lease(), lease());
  EXPECT_EQ(etcd_.leases.at(lease()), 30);
  EXPECT_TRUE(status_->state().present);
  advance(60'000);
  EXPECT_EQ(etcd_.calls_of(kLeaseKeepAlivePath), 6U);
  EXPECT_EQ(status_->state().puts, 1U);
}

TEST_F(LeasedKeyTest, PutsANewValueAtOnceAndABurstOnce) {
  status_->set("one");
  advance(1);
  for (int i = 0; i < 100; ++i) status_->set(std::to_string(i));
  advance(1);
  EXPECT_EQ(status(), "99");
  EXPECT_LE(status_->state().puts, 3U);
  status_->set("99");
  advance(1);
  EXPECT_LE(status_->state().puts, 3U) << "an unchanged value must not be put again";
}

TEST_F(LeasedKeyTest, ReplacesAnExpiredLease) {
  status_->set("one");
  advance(1);
  etcd_.expire_lease(lease());
  EXPECT_EQ(status(), "-");
  advance(10001);
  EXPECT_EQ(status(), "one");
  EXPECT_EQ(status_->state().leases, 2U);
}

TEST_F(LeasedKeyTest, ReplacesALeaseThatAPutDoesNotFind) {
  status_->set("one");
  advance(1);
  etcd_.expire_lease(lease());
  status_->set("two");
  advance(1);
  EXPECT_EQ(status(), "two");
  EXPECT_EQ(status_->state().leases, 2U);
}

TEST_F(LeasedKeyTest, SurvivesALeaseThatExpiresDuringAPut) {
  status_->set("one");
  advance(4999);
  etcd_.before_call = [this](std::string_view path) {
    if (path == kLeaseKeepAlivePath) etcd_.expire_lease(lease());
  };
  advance(1);
  status_->set("two");
  advance(20);
  etcd_.before_call = nullptr;
  advance(6000);
  EXPECT_EQ(status(), "two");
}

TEST_F(LeasedKeyTest, SurvivesOutagesOfEtcd) {
  etcd_.down = {0, 1};
  status_->set("one");
  advance(60'000);
  EXPECT_EQ(status(), "-");
  EXPECT_LE(etcd_.calls.size(), 30U);
  etcd_.down.clear();
  advance(30'000);
  EXPECT_EQ(status(), "one");
  etcd_.silent = true;
  advance(30'000);
  etcd_.silent = false;
  etcd_.expire_lease(lease());
  advance(10'000);
  EXPECT_EQ(status(), "one");
}

TEST_F(LeasedKeyTest, StopDeletesTheKey) {
  status_->set("one");
  advance(1);
  bool done = false;
  status_->stop([&done] { done = true; });
  EXPECT_FALSE(done);
  advance(1);
  EXPECT_TRUE(done);
  EXPECT_EQ(status(), "-");
  status_->set("two");
  advance(60'000);
  EXPECT_EQ(status(), "-");
}

TEST_F(LeasedKeyTest, StopWithoutALeaseOrAnEtcd) {
  bool done = false;
  status_->stop([&done] { done = true; });
  advance(0);
  EXPECT_TRUE(done);
}

TEST_F(LeasedKeyTest, StopWhenEtcdIsGone) {
  status_->set("one");
  advance(1);
  etcd_.down = {0, 1};
  etcd_.silent = true;
  bool done = false;
  status_->stop([&done] { done = true; });
  advance(4100);
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace monitor::config

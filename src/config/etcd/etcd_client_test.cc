// Endpoints, tokens and ends of calls, with an etcd in memory.
#include "config/etcd/etcd_client.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/testing/fake_clock.h"
#include "config/etcd/messages.h"
#include "config/etcd/testing/fake_etcd.h"

namespace monitor::config {
namespace {

class EtcdClientTest : public ::testing::Test {
 protected:
  void make(size_t endpoints = 1, EtcdCredentials credentials = {}) {
    client_ = std::make_unique<EtcdClient>(timers_, etcd_.connector(endpoints), std::move(credentials));
  }
  // Sends a Range request; answer_ holds the answer once it has arrived.
  void ask() {
    pb::RangeRequest request;
    request.set_key("k");
    answer_.reset();
    call_ = client_->call(kRangePath, request.SerializeAsString(), kNanosPerSecond,
                          [this](Result<std::string> answer) { answer_ = std::move(answer); });
  }
  Code code() const { return !answer_ ? Code::kUnknown : *answer_ ? Code::kOk : answer_->error().code(); }

  FakeTimers timers_;
  FakeEtcd etcd_{timers_};
  std::unique_ptr<EtcdClient> client_;
  std::unique_ptr<EtcdCall> call_;
  std::optional<Result<std::string>> answer_;
};

TEST_F(EtcdClientTest, AnswersAndCarriesHasleader) {
  make();
  ask();
  EXPECT_FALSE(answer_) << "never from within call()";
  timers_.advance(0);
  EXPECT_EQ(code(), Code::kOk);
  ASSERT_EQ(etcd_.calls.size(), 1U);
  EXPECT_EQ(etcd_.calls[0].second, (grpc::Metadata{{"hasleader", "true"}}));
  EXPECT_EQ(client_->last_heard_ns(), timers_.clock().mono_ns());
}

TEST_F(EtcdClientTest, RotatesEndpoints) {
  make(3);
  etcd_.down = {0, 1};
  ask();
  timers_.advance(0);
  EXPECT_EQ(code(), Code::kUnavailable) << "the client must not retry by itself";
  ask();
  timers_.advance(0);
  ask();
  timers_.advance(0);
  EXPECT_EQ(code(), Code::kOk);
  ask();
  timers_.advance(0);
  EXPECT_EQ(etcd_.opened, (std::vector<size_t>{0, 1, 2})) << "it stays at an endpoint that works";
}

TEST_F(EtcdClientTest, LeavesASilentServerAndEndsItsCalls) {
  make(2);
  std::optional<Error> end;
  const auto stream = client_->stream(
      kWatchPath, {pb::WatchRequest().SerializeAsString()}, [](std::string_view) {},
      [&end](const Error& reason) { end = reason; });
  etcd_.silent = true;
  ask();
  timers_.advance(999 * kNanosPerMilli);
  EXPECT_FALSE(answer_);
  timers_.advance(kNanosPerMilli);
  EXPECT_EQ(code(), Code::kDeadlineExceeded);
  timers_.advance(0);
  ASSERT_TRUE(end) << "other calls on the connection must end as well";
  EXPECT_EQ(end->code(), Code::kUnavailable);
  EXPECT_EQ(client_->endpoint(), "etcd-1");
}

// Slow is not dead: if an answer from the only endpoint is late, not all its agents should connect to it again.
TEST_F(EtcdClientTest, LeavesASingleServerAfterALongSilence) {
  make(1);
  std::optional<Error> end;
  const auto stream = client_->stream(
      kWatchPath, {pb::WatchRequest().SerializeAsString()}, [](std::string_view) {},
      [&end](const Error& reason) { end = reason; });
  etcd_.silent = true;
  for (int second = 1; second <= 19; ++second) {
    ask();
    timers_.advance(kNanosPerSecond);
    EXPECT_EQ(code(), Code::kDeadlineExceeded);
    timers_.advance(0);
    ASSERT_FALSE(end) << second << " s";
  }
  ask();
  timers_.advance(kNanosPerSecond);
  timers_.advance(0);
  EXPECT_TRUE(end);
  EXPECT_EQ(etcd_.opened.size(), 1U) << "the client connects only when there is a call";
  ask();
  EXPECT_EQ(etcd_.opened.size(), 2U);
}

TEST_F(EtcdClientTest, KeepsAServerThatAnsweredAnotherCall) {
  make(2);
  std::optional<Error> late;
  etcd_.silent = true;
  const auto slow = client_->call(kRangePath, pb::RangeRequest().SerializeAsString(), 2 * kNanosPerSecond,
                                  [&late](const Result<std::string>& answer) { late = answer.error(); });
  timers_.advance(kNanosPerMilli);
  etcd_.silent = false;
  ask();
  timers_.advance(kNanosPerMilli);
  EXPECT_EQ(code(), Code::kOk);
  timers_.advance(2 * kNanosPerSecond);
  ASSERT_TRUE(late);
  EXPECT_EQ(late->code(), Code::kDeadlineExceeded);
  EXPECT_EQ(client_->endpoint(), "etcd-0");
}

TEST_F(EtcdClientTest, LeavesAFailedMemberOnlyForAnother) {
  for (const size_t endpoints : {size_t{1}, size_t{2}}) {
    make(endpoints);
    std::optional<Error> end;
    const auto stream = client_->stream(
        kWatchPath, {pb::WatchRequest().SerializeAsString()}, [](std::string_view) {},
        [&end](const Error& reason) { end = reason; });
    etcd_.overloaded = true;
    ask();
    timers_.advance(kNanosPerMilli);
    EXPECT_EQ(code(), Code::kUnavailable);
    EXPECT_EQ(end.has_value(), endpoints > 1);
    etcd_.overloaded = false;
  }
}

TEST_F(EtcdClientTest, DroppedCallIsNotCalledBack) {
  make();
  ask();
  call_.reset();
  timers_.advance(10 * kNanosPerSecond);
  EXPECT_FALSE(answer_);
  ask();
  client_.reset();
  timers_.advance(10 * kNanosPerSecond);
  EXPECT_FALSE(answer_) << "no callback after the client is destroyed";
}

TEST_F(EtcdClientTest, AuthenticatesOnceForAllWaitingCalls) {
  etcd_.user = "agent";
  etcd_.password = "secret";
  make(1, {"agent", "secret"});
  ask();
  const auto first = std::move(call_);
  ask();
  timers_.advance(0);
  timers_.advance(0);
  EXPECT_EQ(code(), Code::kOk);
  EXPECT_EQ(client_->authentications(), 1U);
  EXPECT_EQ(etcd_.calls.back().second.back(), (std::pair<std::string, std::string>("token", "token-1")));
}

TEST_F(EtcdClientTest, ExpiredTokenIsRenewedOnDemand) {
  etcd_.user = "agent";
  etcd_.password = "secret";
  make(1, {"agent", "secret"});
  ask();
  timers_.advance(kNanosPerMilli);
  etcd_.token = "token-2";
  ask();
  timers_.advance(kNanosPerMilli);
  EXPECT_EQ(code(), Code::kOk);
  EXPECT_EQ(client_->authentications(), 2U);
}

TEST_F(EtcdClientTest, TriesAWrongPasswordOncePerCall) {
  etcd_.user = "agent";
  etcd_.password = "secret";
  make(1, {"agent", "wrong"});
  ask();
  timers_.advance(100 * kNanosPerSecond);
  ASSERT_EQ(code(), Code::kUnauthenticated);
  EXPECT_NE(answer_->error().message().find("authenticating as agent"), std::string::npos);
  EXPECT_EQ(client_->authentications(), 1U);
}

TEST_F(EtcdClientTest, DoesNotLoopOnATokenThatIsAlwaysRejected) {
  etcd_.user = "agent";
  etcd_.password = "secret";
  make(1, {"agent", "secret"});
  int number = 1;
  etcd_.before_call = [&](std::string_view path) {
    if (path == kRangePath) etcd_.token = "token-" + std::to_string(++number);
  };
  ask();
  timers_.advance(100 * kNanosPerSecond);
  EXPECT_EQ(code(), Code::kUnauthenticated);
  EXPECT_EQ(client_->authentications(), 2U);
}

TEST_F(EtcdClientTest, WorksWithAuthenticationDisabled) {
  etcd_.authentication_on = false;
  make(1, {"agent", "secret"});
  ask();
  timers_.advance(kNanosPerMilli);
  EXPECT_EQ(code(), Code::kOk);
  // Authentication is enabled while the client exists.
  etcd_.user = "agent";
  etcd_.password = "secret";
  etcd_.authentication_on = true;
  ask();
  timers_.advance(kNanosPerMilli);
  EXPECT_EQ(code(), Code::kOk);
}

TEST_F(EtcdClientTest, FailedAuthenticationEndsWaitingCalls) {
  make(2, {"agent", "secret"});
  etcd_.down = {0};
  ask();
  timers_.advance(kNanosPerMilli);
  EXPECT_EQ(code(), Code::kUnavailable);
  etcd_.user = "agent";
  etcd_.password = "secret";
  ask();
  timers_.advance(kNanosPerMilli);
  EXPECT_EQ(code(), Code::kOk) << "the other endpoint answers";
}

}  // namespace
}  // namespace monitor::config

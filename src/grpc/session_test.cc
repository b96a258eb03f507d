// Client and server session connected in memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "grpc/testing/session_pair.h"

namespace monitor::grpc {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr const char* kEcho = "/test.Echo/Stream";

class SessionTest : public testing::Test {
 protected:
  static void echo(ServerRecord& record) {
    record.on_message = [](ServerCall& call, std::string_view message) { call.write(message); };
    record.on_half_close = [](ServerCall& call) {
      call.finish({Code::kOk, ""}, {{"sum", "3"}, {"raw-bin", "\x01\x02"}});
    };
  }
  void start() {
    pair_.methods.add_method(kEcho, recording_factory(records_, echo));
    pair_.methods.add_method("/test.Echo/Silent", recording_factory(records_));
    pair_.methods.add_method("/test.Echo/Manual", recording_factory(records_), {.manual_flow_control = true});
    pair_.start();
  }

  SessionPair pair_;
  std::vector<std::shared_ptr<ServerRecord>> records_;
  CallRecorder recorder_;
};

TEST_F(SessionTest, MetadataMessagesAndTrailersArrive) {
  start();
  CallOptions options;
  options.metadata = {{"agent", "a-1"}, {"token-bin", std::string("\0\xff\x80", 3)}, {"agent", "a-2"}};
  const auto call = pair_.client->start(kEcho, options, recorder_);
  call->write("one");
  call->half_close();
  pair_.pump();
  EXPECT_TRUE(pair_.client_events.ready);
  ASSERT_EQ(records_.size(), 1U);
  EXPECT_THAT(records_[0]->metadata, Contains(Pair("agent", "a-1")));
  EXPECT_THAT(records_[0]->metadata, Contains(Pair("agent", "a-2")));
  EXPECT_THAT(records_[0]->metadata, Contains(Pair("token-bin", std::string("\0\xff\x80", 3))));
  EXPECT_THAT(recorder_.messages, ElementsAre("one"));
  ASSERT_TRUE(recorder_.headers.has_value());
  ASSERT_EQ(recorder_.done, 1);
  EXPECT_TRUE(recorder_.status->ok());
  EXPECT_THAT(recorder_.trailers, ElementsAre(Pair("sum", "3"), Pair("raw-bin", "\x01\x02")));
  EXPECT_EQ(records_[0]->call, nullptr);  // the handler was destroyed
  EXPECT_EQ(pair_.client->active_calls(), 0U);
  EXPECT_EQ(pair_.server->active_calls(), 0U);
}

TEST_F(SessionTest, EveryPieceSizeGivesTheSameResult) {
  for (size_t piece = 1; piece < 64; ++piece) {
    SCOPED_TRACE(piece);
    SessionPair pair;
    std::vector<std::shared_ptr<ServerRecord>> records;
    pair.methods.add_method(kEcho, recording_factory(records, echo));
    pair.piece = piece;
    pair.start();
    CallRecorder recorder;
    const auto call = pair.client->start(kEcho, {}, recorder);
    call->write("");
    call->write("one");
    call->write(std::string(300, 'x'));
    call->half_close();
    pair.pump();
    EXPECT_THAT(recorder.messages, ElementsAre("", "one", std::string(300, 'x')));
    ASSERT_EQ(recorder.done, 1);
    EXPECT_TRUE(recorder.status->ok()) << recorder.status->message;
  }
}

// The exchange of EveryPieceSizeGivesTheSameResult, cut after this many bytes in each direction.
struct Sizes {
  size_t to_server;
  size_t to_client;
};
Sizes run_cut(size_t to_server, size_t to_client) {
  SessionPair pair;
  std::vector<std::shared_ptr<ServerRecord>> records;
  pair.methods.add_method(kEcho, recording_factory(records, [](ServerRecord& record) {
                            record.on_message = [](ServerCall& call, std::string_view m) { call.write(m); };
                            record.on_half_close = [](ServerCall& call) { call.finish({}); };
                          }));
  pair.cut_to_server = to_server;
  pair.cut_to_client = to_client;
  pair.start();
  CallRecorder recorder;
  const auto call = pair.client->start(kEcho, {}, recorder);
  call->write("one");
  call->half_close();
  pair.pump();
  EXPECT_EQ(recorder.done, 1);
  if (pair.cut) {
    EXPECT_TRUE(pair.client->finished() && pair.server->finished());
    EXPECT_TRUE(pair.client_events.finished && pair.server_events.finished);
    EXPECT_TRUE(recorder.status->ok() || recorder.status->code == Code::kUnavailable);
  } else {
    EXPECT_TRUE(recorder.status->ok());
  }
  EXPECT_EQ(pair.client->active_calls(), 0U);
  EXPECT_EQ(pair.server->active_calls(), 0U);
  for (const auto& record : records) EXPECT_EQ(record->call, nullptr);
  return {pair.to_server_bytes, pair.to_client_bytes};
}

TEST_F(SessionTest, SurvivesALostConnectionAtEveryByte) {
  const Sizes whole = run_cut(SIZE_MAX, SIZE_MAX);
  ASSERT_GT(whole.to_client, 50U);
  for (size_t i = 0; i < whole.to_server; ++i) run_cut(i, SIZE_MAX);
  for (size_t i = 0; i < whole.to_client; ++i) run_cut(SIZE_MAX, i);
}

TEST_F(SessionTest, UnknownMethodIsUnimplemented) {
  start();
  const auto call = pair_.client->start("/test.Echo/Nothing", {}, recorder_);
  pair_.pump();
  ASSERT_EQ(recorder_.done, 1);
  EXPECT_EQ(recorder_.status->code, Code::kUnimplemented);
  EXPECT_FALSE(recorder_.headers.has_value());
}

TEST_F(SessionTest, RejectsBadMetadataBeforeSendingIt) {
  start();
  CallOptions options;
  options.metadata = {{"Upper", "x"}};
  const auto call = pair_.client->start(kEcho, options, recorder_);
  EXPECT_EQ(recorder_.done, 0);  // never from within start()
  pair_.timers.advance(0);
  ASSERT_EQ(recorder_.done, 1);
  EXPECT_EQ(recorder_.status->code, Code::kInvalidArgument);
}

TEST_F(SessionTest, DeadlineEndsBothSides) {
  start();
  CallOptions options;
  options.timeout_ns = 50 * kNanosPerMilli;
  const auto call = pair_.client->start("/test.Echo/Silent", options, recorder_);
  pair_.pump();
  ASSERT_EQ(records_.size(), 1U);
  pair_.timers.advance(49 * kNanosPerMilli);
  EXPECT_EQ(recorder_.done, 0);
  pair_.timers.advance(2 * kNanosPerMilli);
  ASSERT_EQ(recorder_.done, 1);
  EXPECT_EQ(recorder_.status->code, Code::kDeadlineExceeded);
  EXPECT_TRUE(records_[0]->cancelled);
  pair_.pump();
  EXPECT_EQ(pair_.server->active_calls(), 0U);
}

TEST_F(SessionTest, CancellingOrDestroyingACallNotifiesTheServer) {
  start();
  auto cancelled = pair_.client->start("/test.Echo/Silent", {}, recorder_);
  CallRecorder other;
  auto destroyed = pair_.client->start("/test.Echo/Silent", {}, other);
  pair_.pump();
  cancelled->cancel();
  EXPECT_EQ(recorder_.done, 0);
  destroyed.reset();
  pair_.pump();
  EXPECT_EQ(recorder_.status->code, Code::kCancelled);
  EXPECT_EQ(other.done, 0);
  EXPECT_TRUE(records_[0]->cancelled && records_[1]->cancelled);
}

TEST_F(SessionTest, ServerMayFinishBeforeTheClient) {
  start();
  const auto call = pair_.client->start("/test.Echo/Silent", {}, recorder_);
  pair_.pump();
  records_[0]->call->finish({Code::kAborted, "enough: 50 % \xe2\x82\xac\n"});
  EXPECT_EQ(records_[0]->call->unsent_bytes(), 0U);  // not destroyed within finish()
  pair_.pump();
  EXPECT_EQ(recorder_.status->code, Code::kAborted);
  EXPECT_EQ(recorder_.status->message, "enough: 50 % \xe2\x82\xac\n");
  call->write("ignored");
  call->half_close();
  pair_.pump();
  EXPECT_EQ(recorder_.done, 1);
  EXPECT_TRUE(pair_.client->accepts_calls());
}

TEST_F(SessionTest, TooLongMessageEndsOnlyItsCall) {
  pair_.limits.max_message_bytes = 1000;
  start();
  const auto call = pair_.client->start("/test.Echo/Silent", {}, recorder_);
  call->write(std::string(1000, 'x'));
  pair_.pump();
  EXPECT_EQ(records_[0]->messages.size(), 1U);
  call->write(std::string(1001, 'x'));
  pair_.pump();
  EXPECT_EQ(recorder_.status->code, Code::kResourceExhausted);

  CallRecorder other;
  CallOptions options;
  options.max_message_bytes = 10;
  const auto second = pair_.client->start(kEcho, options, other);
  second->write(std::string(11, 'x'));
  pair_.pump();
  EXPECT_EQ(other.status->code, Code::kResourceExhausted);
  EXPECT_TRUE(pair_.client->accepts_calls());
}

TEST_F(SessionTest, ManualFlowControlHoldsTheSender) {
  pair_.limits.stream_window_bytes = 100'000;
  start();
  const auto call = pair_.client->start("/test.Echo/Manual", {}, recorder_);
  for (int i = 0; i < 300; ++i) call->write(std::string(995, 'x'));
  pair_.pump();
  const size_t arrived = records_[0]->messages.size();
  EXPECT_EQ(arrived, 100U);  // prefixes are returned to the window at once, bodies are not
  EXPECT_GT(call->unsent_bytes(), 190'000U);
  EXPECT_EQ(recorder_.writable, 0);
  records_[0]->call->consumed(size_t{80} * 995);
  pair_.pump();
  EXPECT_NEAR(static_cast<double>(records_[0]->messages.size()), 180, 1);
  for (int i = 0; i < 30; ++i) {
    records_[0]->call->consumed(50'000);
    pair_.pump();
  }
  EXPECT_EQ(records_[0]->messages.size(), 300U);
  EXPECT_EQ(call->unsent_bytes(), 0U);
  EXPECT_EQ(recorder_.writable, 1);
}

TEST_F(SessionTest, MessageLargerThanTheWindowPassesManualFlowControl) {
  pair_.limits.stream_window_bytes = 65'535;
  start();
  const auto call = pair_.client->start("/test.Echo/Manual", {}, recorder_);
  call->write(std::string(1'000'000, 'x'));
  call->write(std::string(1'000'000, 'y'));
  pair_.pump();
  EXPECT_EQ(records_[0]->messages.size(), 1U);  // at most one message is ahead of the user
  records_[0]->call->consumed(1'000'000);
  pair_.pump();
  EXPECT_EQ(records_[0]->messages.size(), 2U);
  records_[0]->call->consumed(1'000'000);
  call->write("z");
  pair_.pump();
  EXPECT_EQ(records_[0]->messages.size(), 3U);
}

TEST_F(SessionTest, DrainLetsRunningCallsEnd) {
  start();
  const auto call = pair_.client->start(kEcho, {}, recorder_);
  call->write("one");
  pair_.pump();
  pair_.server->drain();
  pair_.pump();
  ASSERT_TRUE(pair_.client_events.goaway.has_value());
  EXPECT_EQ(pair_.client_events.goaway->error_code, 0U);
  EXPECT_FALSE(pair_.client->accepts_calls());
  CallRecorder late;
  const auto refused = pair_.client->start(kEcho, {}, late);
  pair_.pump();
  EXPECT_EQ(late.status->code, Code::kUnavailable);
  EXPECT_FALSE(pair_.server_events.finished.has_value());
  call->half_close();
  pair_.pump();
  EXPECT_TRUE(recorder_.status->ok());
  EXPECT_TRUE(pair_.server_events.finished.has_value());
  EXPECT_TRUE(pair_.client_events.finished.has_value());
}

TEST_F(SessionTest, ReportsUnavailableForUnprocessedCalls) {
  start();
  pair_.pump();
  pair_.server->close(Error(Code::kUnavailable, "closing"));
  const auto call = pair_.client->start(kEcho, {}, recorder_);
  pair_.pump();
  ASSERT_EQ(recorder_.done, 1);
  EXPECT_EQ(recorder_.status->code, Code::kUnavailable);
}

TEST_F(SessionTest, CallsBeyondTheServersLimitWait) {
  pair_.limits.max_concurrent_streams = 2;
  start();
  pair_.pump();
  std::vector<std::unique_ptr<CallRecorder>> recorders;
  std::vector<std::unique_ptr<ClientCall>> calls;
  for (int i = 0; i < 5; ++i) {
    recorders.push_back(std::make_unique<CallRecorder>());
    calls.push_back(
        pair_.client->start("/test.Echo/Silent", {.timeout_ns = 1000 * kNanosPerSecond}, *recorders.back()));
  }
  pair_.pump();
  EXPECT_EQ(records_.size(), 2U);
  calls[4]->cancel();  // this call still waits
  pair_.pump();
  EXPECT_EQ(recorders[4]->status->code, Code::kCancelled);
  records_[0]->call->finish({});
  pair_.pump();
  EXPECT_EQ(records_.size(), 3U);
  pair_.server->drain();
  pair_.pump();
  ASSERT_EQ(recorders[3]->done, 1);
  EXPECT_EQ(recorders[3]->status->code, Code::kUnavailable);
  EXPECT_EQ(recorders[2]->done, 0);
}

TEST_F(SessionTest, HandlersMayDestroyCallAndSession) {
  start();
  std::unique_ptr<ClientCall> call = pair_.client->start(kEcho, {}, recorder_);
  recorder_.on_each = [&] { call.reset(); };
  call->write("one");
  call->write("two");
  pair_.pump();
  EXPECT_EQ(recorder_.messages.size(), 1U);
  EXPECT_EQ(recorder_.done, 0);

  CallRecorder other;
  std::unique_ptr<ClientCall> second = pair_.client->start(kEcho, {}, other);
  std::unique_ptr<ClientSession> session;
  other.on_each = [&] { session.reset(); };
  second->write("one");
  second->write("two");
  session = std::move(pair_.client);
  const std::string request(session->pending_output());
  session->consume_output(request.size());
  pair_.server->receive(request);
  session->receive(std::string(pair_.server->pending_output()));
  EXPECT_EQ(session, nullptr);
  EXPECT_EQ(other.messages.size(), 1U);
  second->write("into nothing");
  EXPECT_EQ(second->unsent_bytes(), 0U);
}

TEST_F(SessionTest, ServerHandlersMayDestroyTheSession) {
  pair_.methods.add_method(kEcho, recording_factory(records_, [this](ServerRecord& record) {
                             record.on_message = [this](ServerCall&, std::string_view) { pair_.server.reset(); };
                           }));
  pair_.start();
  const auto call = pair_.client->start(kEcho, {}, recorder_);
  call->write("one");
  call->write("two");
  const std::string request(pair_.client->pending_output());
  pair_.server->receive(request);
  EXPECT_EQ(pair_.server, nullptr);
  EXPECT_EQ(records_[0]->messages.size(), 1U);
  EXPECT_EQ(records_[0]->call, nullptr);
}

TEST_F(SessionTest, KeepaliveFindsADeadServer) {
  pair_.options.keepalive_interval_ns = 10 * kNanosPerSecond;
  pair_.options.keepalive_timeout_ns = 5 * kNanosPerSecond;
  start();
  const auto call = pair_.client->start("/test.Echo/Silent", {}, recorder_);
  call->write("begun");
  for (int i = 0; i < 4; ++i) {
    pair_.pump();
    pair_.timers.advance(10 * kNanosPerSecond);
  }
  EXPECT_EQ(recorder_.done, 0);  // the server answers the pings and does not find them too frequent
  EXPECT_FALSE(pair_.server_events.finished.has_value());
  pair_.timers.advance(15 * kNanosPerSecond);
  ASSERT_EQ(recorder_.done, 1);
  EXPECT_EQ(recorder_.status->code, Code::kUnavailable);
  EXPECT_THAT(recorder_.status->message, HasSubstr("keepalive"));
}

TEST_F(SessionTest, ClosesOldAndIdleConnections) {
  pair_.limits.max_age_ns = 100 * kNanosPerSecond;
  pair_.limits.max_age_grace_ns = 10 * kNanosPerSecond;
  start();
  const auto call = pair_.client->start("/test.Echo/Silent", {}, recorder_);
  call->write("begun");
  pair_.pump();
  pair_.timers.advance(100 * kNanosPerSecond);
  pair_.pump();
  EXPECT_TRUE(pair_.client_events.goaway.has_value());
  EXPECT_EQ(recorder_.done, 0);
  pair_.timers.advance(10 * kNanosPerSecond);
  pair_.pump();
  ASSERT_EQ(recorder_.done, 1);
  EXPECT_EQ(recorder_.status->code, Code::kUnavailable);

  const auto age_of_one = [](const std::string& address) {
    SessionPair pair({.max_age_ns = 100 * kNanosPerSecond, .max_age_jitter = 0.1});
    pair.peer = address;
    pair.start();
    for (int second = 0; second < 200; ++second) {
      pair.pump();
      if (pair.client_events.goaway.has_value()) return second;
      pair.timers.advance(kNanosPerSecond);
    }
    return 0;
  };
  std::set<int> ages;
  for (int port = 1; port <= 20; ++port) ages.insert(age_of_one("ipv4:10.0.0.1:" + std::to_string(port)));
  EXPECT_GE(*ages.begin(), 90);
  EXPECT_LE(*ages.rbegin(), 110);
  EXPECT_GT(ages.size(), 5U) << "connections do not all end together";

  SessionPair idle({.idle_timeout_ns = 30 * kNanosPerSecond});
  idle.start();
  idle.pump();
  idle.timers.advance(31 * kNanosPerSecond);
  idle.pump();
  EXPECT_TRUE(idle.server_events.finished.has_value());
  EXPECT_TRUE(idle.client_events.finished.has_value());
}

}  // namespace
}  // namespace monitor::grpc

// The interoperability client on our own library. README.md lists the checks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "echo.pb.h"
#include "grpc/channel.h"
#include "grpc/tls.h"

namespace monitor::grpc {
namespace {

using interop::Message;
using testing::Contains;
using testing::Pair;

struct Recorder final : ClientCallHandler {
  void on_headers(const Metadata& metadata) override { headers = metadata; }
  void on_message(std::string_view message) override {
    messages.emplace_back();
    EXPECT_TRUE(messages.back().ParseFromArray(message.data(), static_cast<int>(message.size())));
    if (on_each) on_each();
  }
  void on_done(const CallStatus& result, const Metadata& last) override {
    status = result;
    trailers = last;
  }
  std::optional<Metadata> headers;
  std::vector<Message> messages;
  std::optional<CallStatus> status;
  Metadata trailers;
  std::function<void()> on_each;
};

Message with_body(const std::string& body, int count = 0) {
  Message message;
  message.set_body(body);
  message.set_count(count);
  return message;
}

class InteropTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* target = std::getenv("ECHO_TARGET");
    ASSERT_NE(target, nullptr);
    const Result<HostPort> parsed = parse_host_port(target, 0);
    ASSERT_TRUE(parsed.ok());
    ChannelOptions options;
    options.host = parsed->host;
    options.port = parsed->port;
    if (const char* ca = std::getenv("ECHO_CA")) {
      TlsClientOptions tls;
      tls.ca_file = ca;
      tls.server_name = parsed->host;
      auto context = TlsClientContext::load(tls);
      ASSERT_TRUE(context.ok()) << context.error().to_string();
      options.security = *context;
    }
    channel_ = std::make_unique<Channel>(loop_, resolver_, options);
  }

  std::unique_ptr<ClientCall> start(const std::string& method, Recorder& recorder, const CallOptions& options = {}) {
    return channel_->start("/interop.Echo/" + method, options, recorder);
  }
  void run_until(const std::function<bool()>& condition) {
    const int64_t end = clock_.mono_ns() + 30 * kNanosPerSecond;
    while (!condition()) {
      ASSERT_LT(clock_.mono_ns(), end) << "the condition was not met in time";
      loop_.run_once(100 * kNanosPerMilli);
    }
  }
  void finish(Recorder& recorder) {
    run_until([&] { return recorder.status.has_value(); });
  }
  // Sends one message and waits for the end of the call.
  void unary(const std::string& method, const Message& request, Recorder& recorder, const CallOptions& options = {}) {
    const auto call = start(method, recorder, options);
    call->write(request.SerializeAsString());
    call->half_close();
    finish(recorder);
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  ThreadResolver resolver_{loop_};
  std::unique_ptr<Channel> channel_;
};

TEST_F(InteropTest, UnaryCallCarriesMetadataBothWays) {
  Recorder recorder;
  CallOptions options;
  const std::string bytes("\x00\x01\xfe\xff, \x7f", 7);
  options.metadata = {{"x-echo", "some value"}, {"x-echo-bin", bytes}};
  unary("Unary", with_body("hello"), recorder, options);
  ASSERT_TRUE(recorder.status->ok()) << recorder.status->message;
  ASSERT_EQ(recorder.messages.size(), 1U);
  EXPECT_EQ(recorder.messages[0].body(), "hello");
  EXPECT_THAT(*recorder.headers, Contains(Pair("x-echo", "some value")));
  EXPECT_THAT(recorder.trailers, Contains(Pair("x-echo-bin", bytes)));
}

TEST_F(InteropTest, TransfersEmptyAndLargeMessages) {
  for (const size_t size : {size_t{0}, size_t{3'000'000}}) {
    Recorder recorder;
    unary("Unary", with_body(std::string(size, 'x')), recorder);
    ASSERT_TRUE(recorder.status->ok()) << recorder.status->message;
    ASSERT_EQ(recorder.messages.size(), 1U);
    EXPECT_EQ(recorder.messages[0].body().size(), size);
  }
  Recorder recorder;
  unary("Unary", with_body(std::string(5'000'000, 'x')), recorder);
  EXPECT_EQ(recorder.status->code, Code::kResourceExhausted) << recorder.status->message;
}

TEST_F(InteropTest, ClientStreamingWorks) {
  Recorder recorder;
  const auto call = start("ClientStream", recorder);
  for (int i = 0; i < 1000; ++i) call->write(with_body(std::to_string(i)).SerializeAsString());
  call->half_close();
  finish(recorder);
  ASSERT_TRUE(recorder.status->ok()) << recorder.status->message;
  ASSERT_EQ(recorder.messages.size(), 1U);
  EXPECT_EQ(recorder.messages[0].count(), 1000);
  EXPECT_EQ(recorder.messages[0].body(), "999");
}

TEST_F(InteropTest, ServerStreamingWorks) {
  Recorder recorder;
  unary("ServerStream", with_body(std::string(5000, 'y'), 1000), recorder);
  ASSERT_TRUE(recorder.status->ok()) << recorder.status->message;
  ASSERT_EQ(recorder.messages.size(), 1000U);
  EXPECT_EQ(recorder.messages.back().count(), 1000);
}

TEST_F(InteropTest, BidirectionalStreamingObeysManualFlowControl) {
  Recorder recorder;
  CallOptions options;
  options.manual_flow_control = true;
  const auto call = start("Bidi", recorder, options);
  recorder.on_each = [&] {
    call->consumed(recorder.messages.back().ByteSizeLong());
    const int count = static_cast<int>(recorder.messages.size());
    if (count == 100) return call->half_close();
    call->write(with_body(std::string(20'000, 'z'), count).SerializeAsString());
  };
  call->write(with_body("first").SerializeAsString());
  finish(recorder);
  ASSERT_TRUE(recorder.status->ok()) << recorder.status->message;
  EXPECT_EQ(recorder.messages.size(), 100U);
}

TEST_F(InteropTest, TransfersStatusCodesAndUnusualMessages) {
  for (int code = 1; code <= 16; ++code) {
    Message request;
    request.set_code(code);
    request.set_text("odd: 100 % \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \n %41 \t end");
    Recorder recorder;
    unary("Status", request, recorder);
    EXPECT_EQ(static_cast<int>(recorder.status->code), code);
    EXPECT_EQ(recorder.status->message, request.text());
  }
}

TEST_F(InteropTest, UnknownMethodIsUnimplemented) {
  Recorder recorder;
  unary("Nothing", {}, recorder);
  EXPECT_EQ(recorder.status->code, Code::kUnimplemented);
}

TEST_F(InteropTest, DeadlineEndsTheCall) {
  Recorder recorder;
  unary("Hang", {}, recorder, {.timeout_ns = 200 * kNanosPerMilli});
  EXPECT_EQ(recorder.status->code, Code::kDeadlineExceeded);
}

int cancelled_count(const Recorder& recorder) { return recorder.messages.empty() ? 0 : recorder.messages[0].count(); }

TEST_F(InteropTest, CancellationReachesTheServer) {
  Recorder before;
  unary("Cancelled", {}, before);
  Recorder recorder;
  const auto call = start("Hang", recorder);
  call->write("");
  run_until([&] { return recorder.headers.has_value(); });
  call->cancel();
  finish(recorder);
  EXPECT_EQ(recorder.status->code, Code::kCancelled);
  int now = 0;
  while (now <= cancelled_count(before)) {
    Recorder after;
    unary("Cancelled", {}, after);
    ASSERT_TRUE(after.status->ok());
    now = cancelled_count(after);
  }
}

// Its name makes this test the last one, because the server exits.
TEST_F(InteropTest, ZzDrainingLetsAStreamEnd) {
  if (std::getenv("ECHO_BEHIND_PROXY") != nullptr) return;
  Recorder stream;
  const auto call = start("Bidi", stream);
  call->write(with_body("one").SerializeAsString());
  run_until([&] { return stream.messages.size() == 1; });
  Recorder drain;
  unary("Drain", {}, drain);
  EXPECT_TRUE(drain.status->ok()) << drain.status->message;
  run_until([&] { return channel_->state() == ChannelState::kIdle; });
  call->write(with_body("two").SerializeAsString());
  call->half_close();
  finish(stream);
  EXPECT_TRUE(stream.status->ok()) << stream.status->message;
  EXPECT_EQ(stream.messages.size(), 2U);
  Recorder late;
  unary("Unary", {}, late);
  EXPECT_EQ(late.status->code, Code::kUnavailable) << late.status->message;
}

}  // namespace
}  // namespace monitor::grpc

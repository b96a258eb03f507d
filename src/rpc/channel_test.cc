// Channel and Server over real sockets of the loopback interface.
#include "rpc/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rpc/server.h"

namespace monitor::rpc {
namespace {

using testing::HasSubstr;

// Sends back what it gets, and the metadata "echo".
class Echo final : public ServerCallHandler {
 public:
  explicit Echo(ServerCall& call) : call_(call) {}
  void on_message(std::string_view message) override { call_.write(message); }
  void on_half_close() override { call_.finish({}); }

 private:
  ServerCall& call_;
};

struct Recorder final : ClientCallHandler {
  void on_message(std::string_view message) override {
    messages.emplace_back(message);
    if (then) then();
  }
  void on_done(const CallStatus& result, const Metadata& last) override {
    status = result;
    trailers = last;
  }
  std::vector<std::string> messages;
  std::optional<CallStatus> status;
  Metadata trailers;
  std::function<void()> then;
};

class ChannelTest : public testing::Test {
 protected:
  void serve(ServerOptions options = {}) {
    server_ = std::make_unique<Server>(loop_, std::move(options));
    server_->add_method("/test.Echo/Stream", [](ServerCall& call) { return std::make_unique<Echo>(call); });
    server_->add_unary("/test.Echo/Unary", [](ServerCall&, std::string_view request) -> Result<std::string> {
      if (request == "fail") return Error(Code::kNotFound, "nothing here: 100 % \xc3\xa9");
      return "re: " + std::string(request);
    });
    const Result<uint16_t> port = server_->listen("127.0.0.1", 0);
    ASSERT_TRUE(port.ok()) << port.error().to_string();
    port_ = *port;
  }
  ChannelOptions to_server() const {
    ChannelOptions options;
    options.host = "127.0.0.1";
    options.port = port_;
    return options;
  }
  void run_until(const std::function<bool()>& condition) {
    const int64_t end = clock_.mono_ns() + 10 * kNanosPerSecond;
    while (!condition()) {
      ASSERT_LT(clock_.mono_ns(), end) << "the condition did not come true";
      loop_.run_once(100 * kNanosPerMilli);
    }
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  ThreadResolver resolver_{loop_};
  std::unique_ptr<Server> server_;
  uint16_t port_ = 0;
};

TEST_F(ChannelTest, UnaryCallsAreAnswered) {
  serve();
  Channel channel(loop_, resolver_, to_server());
  std::optional<Result<std::string>> good;
  std::optional<Result<std::string>> bad;
  channel.unary("/test.Echo/Unary", "hello", {}, [&](Result<std::string> result) { good = std::move(result); });
  channel.unary("/test.Echo/Unary", "fail", {}, [&](Result<std::string> result) { bad = std::move(result); });
  run_until([&] { return good && bad; });
  EXPECT_EQ(good->value(), "re: hello");
  EXPECT_EQ(bad->error().code(), Code::kNotFound);
  EXPECT_EQ(bad->error().message(), "nothing here: 100 % \xc3\xa9");
}

TEST_F(ChannelTest, StreamsBothWays) {
  serve();
  Channel channel(loop_, resolver_, to_server());
  Recorder recorder;
  const std::unique_ptr<ClientCall> call = channel.start("/test.Echo/Stream", {}, recorder);
  const std::string large(3'000'000, 'x');
  call->write("one");
  call->write(large);
  call->write("");
  call->half_close();
  run_until([&] { return recorder.status.has_value(); });
  EXPECT_TRUE(recorder.status->ok()) << recorder.status->message;
  ASSERT_EQ(recorder.messages.size(), 3U);
  EXPECT_EQ(recorder.messages[0], "one");
  EXPECT_EQ(recorder.messages[1], large);
  EXPECT_EQ(recorder.messages[2], "");
}

TEST_F(ChannelTest, NobodyListensIsUnavailable) {
  serve();
  ChannelOptions options = to_server();
  server_.reset();
  Channel channel(loop_, resolver_, options);
  Recorder recorder;
  const std::unique_ptr<ClientCall> call = channel.start("/test.Echo/Stream", {}, recorder);
  run_until([&] { return recorder.status.has_value(); });
  EXPECT_EQ(recorder.status->code, Code::kUnavailable);
  EXPECT_THAT(recorder.status->message, HasSubstr("refused"));
  EXPECT_EQ(channel.state(), ChannelState::kIdle);
}

TEST_F(ChannelTest, ShutdownWaitsForCallsAndCloses) {
  serve();
  Channel channel(loop_, resolver_, to_server());
  Recorder recorder;
  const std::unique_ptr<ClientCall> call = channel.start("/test.Echo/Stream", {}, recorder);
  call->write("one");
  run_until([&] { return recorder.messages.size() == 1; });
  bool down = false;
  server_->shutdown(20 * kNanosPerSecond, [&] { down = true; });
  run_until([&] { return channel.state() == ChannelState::kIdle; });  // told to go away
  EXPECT_FALSE(down);
  call->write("two");
  call->half_close();
  run_until([&] { return down; });
  run_until([&] { return recorder.status.has_value(); });
  EXPECT_TRUE(recorder.status->ok()) << recorder.status->message;
  EXPECT_EQ(recorder.messages.size(), 2U);
}

}  // namespace
}  // namespace monitor::rpc

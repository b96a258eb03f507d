// Channel and Server, connected through real sockets on the loopback interface.
#include "grpc/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "grpc/server.h"
#include "grpc/testing/frames.h"

namespace monitor::grpc {
namespace {

using testing::HasSubstr;

// Echoes each message, and the metadata "echo".
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
      ASSERT_LT(clock_.mono_ns(), end) << "the condition did not become true in time";
      loop_.run_once(100 * kNanosPerMilli);
    }
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  ThreadResolver resolver_{loop_};
  std::unique_ptr<Server> server_;
  uint16_t port_ = 0;
};

TEST_F(ChannelTest, AnswersUnaryCalls) {
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

TEST_F(ChannelTest, ReportsUnavailableIfNobodyListens) {
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
  run_until([&] { return channel.state() == ChannelState::kIdle; });  // the server has sent GOAWAY
  EXPECT_FALSE(down);
  call->write("two");
  call->half_close();
  run_until([&] { return down; });
  run_until([&] { return recorder.status.has_value(); });
  EXPECT_TRUE(recorder.status->ok()) << recorder.status->message;
  EXPECT_EQ(recorder.messages.size(), 2U);
}

TEST_F(ChannelTest, ShutdownCancelsCallsAfterTheGracePeriod) {
  serve();
  Channel channel(loop_, resolver_, to_server());
  Recorder recorder;
  const std::unique_ptr<ClientCall> call = channel.start("/test.Echo/Stream", {}, recorder);
  call->write("one");
  run_until([&] { return recorder.messages.size() == 1; });
  bool down = false;
  server_->shutdown(10 * kNanosPerMilli, [&] { down = true; });
  run_until([&] { return down && recorder.status; });
  EXPECT_EQ(recorder.status->code, Code::kUnavailable);
}

// Resolves every name to fixed addresses.
class FixedResolver final : public Resolver {
 public:
  FixedResolver(EventLoop& loop, std::vector<SocketAddress> addresses)
      : loop_(loop), addresses_(std::move(addresses)) {}
  void resolve(const std::string& /*host*/, uint16_t /*port*/, Callback callback) override {
    loop_.call_after(0, [this, callback = std::move(callback)] { callback(addresses_); });
  }

 private:
  EventLoop& loop_;
  std::vector<SocketAddress> addresses_;
};

struct Listener final : ChannelListener {
  void on_ready() override { ++ready; }
  void on_closed(const Error& reason) override {
    closed.push_back(reason);
    if (on_each_close) on_each_close();
  }
  int ready = 0;
  std::vector<Error> closed;
  std::function<void()> on_each_close;
};

// A listening socket without gRPC; the test decides what its clients receive.
class RawServer {
 public:
  RawServer() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    SocketAddress address = *parse_socket_address("127.0.0.1", 0);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address.storage), address.length), 0);
    EXPECT_EQ(listen(fd_, 8), 0);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address.storage), &address.length);
    port_ = address.port();
  }
  ~RawServer() {
    if (client_ >= 0) close(client_);
    close(fd_);
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;
  uint16_t port() const { return port_; }
  void accept_and_send(std::string_view bytes) {
    client_ = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    EXPECT_EQ(send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }

 private:
  int fd_;
  int client_ = -1;
  uint16_t port_ = 0;
};

TEST_F(ChannelTest, TriesAddressesInTurn) {
  serve();
  uint16_t closed_port = 0;
  {
    closed_port = RawServer().port();
  }
  FixedResolver resolver(loop_,
                         {*parse_socket_address("127.0.0.1", closed_port), *parse_socket_address("127.0.0.1", port_)});
  Listener listener;
  Channel channel(loop_, resolver, to_server(), &listener);
  channel.connect();
  run_until([&] { return listener.ready == 1; });
  EXPECT_EQ(channel.peer(), "ipv4:127.0.0.1:" + std::to_string(port_));
  EXPECT_EQ(channel.state(), ChannelState::kReady);
}

TEST_F(ChannelTest, GivesUpOnASilentServer) {
  const RawServer silent;
  ChannelOptions options;
  options.host = "127.0.0.1";
  options.port = silent.port();
  options.handshake_timeout_ns = 20 * kNanosPerMilli;
  Listener listener;
  Channel channel(loop_, resolver_, options, &listener);
  channel.connect();
  run_until([&] { return !listener.closed.empty(); });
  EXPECT_THAT(listener.closed[0].message(), HasSubstr("within the time limit"));
}

TEST_F(ChannelTest, ReportsUnavailableForAnotherProtocol) {
  RawServer other;
  ChannelOptions options;
  options.host = "127.0.0.1";
  options.port = other.port();
  Channel channel(loop_, resolver_, options);
  Recorder recorder;
  const std::unique_ptr<ClientCall> call = channel.start("/test.Echo/Stream", {}, recorder);
  loop_.run_once(kNanosPerMilli);
  other.accept_and_send("220 mail.example ESMTP\r\n");
  run_until([&] { return recorder.status.has_value(); });
  EXPECT_EQ(recorder.status->code, Code::kUnavailable);
}

TEST_F(ChannelTest, ReconnectsAfterTheServerRestarts) {
  serve();
  Listener listener;
  Channel channel(loop_, resolver_, to_server(), &listener);
  channel.connect();
  run_until([&] { return listener.ready == 1; });
  const uint16_t port = port_;
  server_.reset();
  run_until([&] { return listener.closed.size() == 1; });
  EXPECT_EQ(channel.state(), ChannelState::kIdle);
  server_ = std::make_unique<Server>(loop_, ServerOptions{});
  ASSERT_TRUE(server_->listen("127.0.0.1", port).ok());
  channel.connect();
  run_until([&] { return listener.ready == 2; });
}

TEST_F(ChannelTest, MayBeDestroyedInItsCallbacks) {
  serve();
  auto channel = std::make_unique<Channel>(loop_, resolver_, to_server());
  bool called = false;
  channel->unary("/test.Echo/Unary", "hello", {}, [&](const Result<std::string>&) {
    channel.reset();
    called = true;
  });
  run_until([&] { return called; });

  Listener listener;
  channel = std::make_unique<Channel>(loop_, resolver_, to_server(), &listener);
  listener.on_each_close = [&] { channel.reset(); };
  channel->connect();
  run_until([&] { return listener.ready == 1; });
  server_.reset();
  run_until([&] { return channel == nullptr; });
}

TEST_F(ChannelTest, CloseCancelsCalls) {
  serve();
  Listener listener;
  Channel channel(loop_, resolver_, to_server(), &listener);
  Recorder recorder;
  const std::unique_ptr<ClientCall> call = channel.start("/test.Echo/Stream", {}, recorder);
  call->write("one");
  run_until([&] { return recorder.messages.size() == 1; });
  channel.close();
  EXPECT_FALSE(recorder.status.has_value());
  run_until([&] { return recorder.status.has_value(); });
  EXPECT_EQ(recorder.status->code, Code::kCancelled);
  EXPECT_TRUE(listener.closed.empty());
}

TEST_F(ChannelTest, RefusesConnectionsBeyondTheLimit) {
  ServerOptions options;
  options.limits.max_connections = 1;
  serve(options);
  Listener first;
  Channel channel(loop_, resolver_, to_server(), &first);
  channel.connect();
  run_until([&] { return first.ready == 1; });
  Listener second;
  Channel other(loop_, resolver_, to_server(), &second);
  other.connect();
  run_until([&] { return second.closed.size() == 1; });
  EXPECT_EQ(second.ready, 0);
  EXPECT_EQ(server_->stats().connections_refused, 1U);
  EXPECT_EQ(server_->stats().connections_open, 1U);
}

TEST_F(ChannelTest, ClosesAClientWhoseTcpAcceptsNothing) {
  ServerOptions options;
  options.limits.stall_timeout_ns = 50 * kNanosPerMilli;
  serve(options);
  bool gone = false;
  struct Flood final : ServerCallHandler {
    Flood(ServerCall& call, bool& over) : gone(over) {
      for (int i = 0; i < 12; ++i) call.write(std::string(1'000'000, 'x'));
    }
    void on_message(std::string_view /*message*/) override {}
    void on_cancelled() override { gone = true; }
    bool& gone;
  };
  server_->add_method("/test.Echo/Flood", [&](ServerCall& call) { return std::make_unique<Flood>(call, gone); });
  // The windows are wide open, but the client reads nothing.
  const std::string wide("\0\4\x7f\xff\xff\xff", 6);
  const std::string more("\x7f\0\0\0", 4);
  const std::string block = literal(":method", "POST") + literal(":scheme", "http") +
                            literal(":path", "/test.Echo/Flood") + literal(":authority", "x") +
                            literal("content-type", "application/grpc");
  const std::string bytes =
      std::string(kPreface) + frame(kSettings, 0, 0, wide) + frame(kWindow, 0, 0, more) + frame(kHeaders, 4, 1, block);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int small = 4096;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  const SocketAddress address = *parse_socket_address("127.0.0.1", port_);
  ASSERT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length), 0);
  ASSERT_EQ(send(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  run_until([&] { return gone; });
  run_until([&] { return server_->stats().connections_open == 0; });
  close(fd);
}

TEST_F(ChannelTest, SharesPortsAndNamesAPortInUse) {
  ServerOptions options;
  options.reuse_port = true;
  Server one(loop_, options);
  Server two(loop_, options);
  const Result<uint16_t> port = one.listen("127.0.0.1", 0);
  ASSERT_TRUE(port.ok());
  EXPECT_EQ(*two.listen("127.0.0.1", *port), *port);
  Server three(loop_, ServerOptions{});
  const Result<uint16_t> taken = three.listen("127.0.0.1", *port);
  ASSERT_FALSE(taken.ok());
  EXPECT_THAT(taken.error().message(), HasSubstr("127.0.0.1:" + std::to_string(*port)));
  EXPECT_FALSE(three.listen("nowhere", 1).ok());
}

TEST_F(ChannelTest, ServesOverIpv6) {
  Server server(loop_, ServerOptions{});
  server.add_unary("/t.T/U", [](ServerCall& call, std::string_view) -> Result<std::string> { return call.peer(); });
  const Result<uint16_t> port = server.listen("::1", 0);
  ASSERT_TRUE(port.ok()) << port.error().to_string();
  ChannelOptions options;
  options.host = "::1";
  options.port = *port;
  Channel channel(loop_, resolver_, options);
  std::optional<Result<std::string>> peer;
  channel.unary("/t.T/U", "", {}, [&](Result<std::string> result) { peer = std::move(result); });
  run_until([&] { return peer.has_value(); });
  EXPECT_THAT(peer->value(), HasSubstr("ipv6:[::1]:"));
}

}  // namespace
}  // namespace monitor::grpc

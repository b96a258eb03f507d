#include "server/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "grpc/channel.h"
#include "metriclog/testing/memory_log.h"
#include "metrics/encode.h"
#include "stream/messages.h"

namespace monitor::server {
namespace {

using ::testing::HasSubstr;

// An agent over real gRPC: sends Hello, publishes `count` batches, and waits for the acknowledgement of the last one.
class Client final : public grpc::ClientCallHandler {
 public:
  Client(EventLoop& loop, uint16_t port, std::string agent)
      : loop_(loop),
        resolver_(loop),
        channel_(loop, resolver_, {.host = "127.0.0.1", .port = port, .security = nullptr}),
        agent_(std::move(agent)) {}

  void run(uint64_t count) {
    count_ = count;
    call_ = channel_.start("/monitor.v1.Ingest/Publish", {}, *this);
    call_->write(stream::encode(stream::Hello{agent_, std::string(metrics::kIncarnationBytes, 'i'), "1.0", "host"}));
    for (uint64_t i = 1; i <= count; ++i) {
      metrics::Batch batch;
      batch.agent_id = agent_;
      batch.incarnation = std::string(metrics::kIncarnationBytes, 'i');
      batch.sequence = i;
      call_->write(stream::encode(stream::Publish{i, metrics::encode_batch(batch)}));
    }
  }

  void on_message(std::string_view message) override {
    const auto parsed = stream::parse_server_message(message);
    ASSERT_TRUE(parsed.ok());
    if (const auto* ack = std::get_if<stream::Ack>(&*parsed)) {
      acked = ack->through;
      if (acked == count_) loop_.stop();
    }
    if (std::holds_alternative<stream::Drain>(*parsed)) drained = true;
  }
  void on_done(const grpc::CallStatus& status, const grpc::Metadata& /*trailers*/) override {
    ended = status;
    loop_.stop();
  }

  uint64_t acked = 0;
  bool drained = false;
  std::optional<grpc::CallStatus> ended;

 private:
  EventLoop& loop_;
  grpc::ThreadResolver resolver_;
  grpc::Channel channel_;
  std::unique_ptr<grpc::ClientCall> call_;
  const std::string agent_;
  uint64_t count_ = 0;
};

class ServerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Server> start(ServerOptions options = {}) {
    options.listen = {{"127.0.0.1", 0}};
    auto started = Server::start(loop_, options, log_.writer(), registry_, clock_);
    EXPECT_TRUE(started.ok()) << started.error().to_string();
    return started ? std::move(*started) : nullptr;
  }
  static uint16_t port_of(const Server& server) {
    const std::string& address = server.grpc_addresses().at(0);
    return static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  metriclog::MemoryLog log_{clock_};
  telemetry::Registry registry_;
};

TEST_F(ServerTest, StoresAndAcknowledgesOverSeveralLoopsAndDrains) {
  auto server = start({.loops = 2});
  ASSERT_NE(server, nullptr);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 4; ++i) {
    clients.push_back(std::make_unique<Client>(loop_, port_of(*server), "agent-" + std::to_string(i)));
    clients.back()->run(100);
  }
  const auto all_acked = [&] { return std::ranges::all_of(clients, [](const auto& c) { return c->acked == 100; }); };
  while (!all_acked()) loop_.run();
  EXPECT_EQ(log_.end_offset(0), 401);
  EXPECT_THAT(registry_.text(), HasSubstr("monitor_server_batches_stored_total 400\n"));

  bool done = false;
  server->shutdown(10 * kNanosPerSecond, [&] {
    done = true;
    loop_.stop();
  });
  while (!done) loop_.run();
  for (const auto& client : clients) EXPECT_TRUE(client->drained);
}

TEST_F(ServerTest, ProbeAnswersOnlyWhileEveryLoopRuns) {
  const auto server = start({.loops = 3});
  int answers = 0;
  server->probe([&] {
    ++answers;
    loop_.stop();
  });
  loop_.run();
  EXPECT_EQ(answers, 1);
  server->close();  // ends the loops' threads
  server->probe([&] { ++answers; });
  loop_.post([&] { loop_.stop(); });
  loop_.run();
  EXPECT_EQ(answers, 1);
}

// Reflection is a streaming method. One request followed by the end of the stream is answered like a unary call.
TEST_F(ServerTest, HasHealthAndReflection) {
  const auto server = start({.loops = 1});
  grpc::ThreadResolver resolver(loop_);
  grpc::Channel channel(loop_, resolver, {.host = "127.0.0.1", .port = port_of(*server), .security = nullptr});
  const auto ask = [&](std::string_view path, std::string_view request) {
    std::optional<Result<std::string>> answer;
    channel.unary(path, request, {}, [&](Result<std::string> got) {
      answer = std::move(got);
      loop_.stop();
    });
    while (!answer) loop_.run();
    EXPECT_TRUE(answer->ok()) << path;
    return answer->ok() ? **answer : "";
  };
  EXPECT_EQ(ask("/grpc.health.v1.Health/Check", ""), "\x08\x01") << "SERVING";
  // ServerReflectionRequest.file_containing_symbol
  EXPECT_THAT(ask("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "\x22\x11monitor.v1.Ingest"),
              HasSubstr("monitor/v1/ingest.proto"));
}

TEST_F(ServerTest, RejectsAPortThatAnotherServerUses) {
  const auto first = start({.loops = 2});
  const uint16_t port = port_of(*first);
  const auto second =
      Server::start(loop_, {.listen = {{"127.0.0.1", port}}, .loops = 2}, log_.writer(), registry_, clock_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_THAT(second.error().message(), HasSubstr(std::to_string(port)));
  EXPECT_THAT(second.error().message(), HasSubstr("--port"));
}

TEST_F(ServerTest, EndsRunningCallsWhenItIsDestroyed) {
  auto server = start({.loops = 1});
  Client client(loop_, port_of(*server), "a");
  client.run(1);
  while (client.acked == 0) loop_.run();
  server.reset();
  while (!client.ended) loop_.run();
  EXPECT_EQ(client.ended->code, Code::kUnavailable);
}

}  // namespace
}  // namespace monitor::server

// The interoperability server on our own library.
#include <google/protobuf/descriptor.pb.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "echo.pb.h"
#include "grpc/health.h"
#include "grpc/reflection.h"
#include "grpc/server.h"
#include "grpc/tls.h"

namespace monitor::grpc {
namespace {

using interop::Message;

std::string serialize(const Message& message) { return message.SerializeAsString(); }

// The client's metadata that Unary returns.
void split_echo(const ServerCall& call, Metadata& headers, Metadata& trailers) {
  for (const auto& pair : call.metadata()) {
    if (pair.first == "x-echo") headers.push_back(pair);
    if (pair.first == "x-echo-bin") trailers.push_back(pair);
  }
}

class Unary final : public ServerCallHandler {
 public:
  explicit Unary(ServerCall& call) : call_(call) {}
  void on_message(std::string_view message) override {
    Metadata headers;
    Metadata trailers;
    split_echo(call_, headers, trailers);
    call_.send_headers(headers);
    call_.write(message);
    call_.finish({}, trailers);
  }

 private:
  ServerCall& call_;
};

class ClientStream final : public ServerCallHandler {
 public:
  explicit ClientStream(ServerCall& call) : call_(call) {}
  void on_message(std::string_view message) override {
    const int count = answer_.count();
    if (!answer_.ParseFromArray(message.data(), static_cast<int>(message.size()))) {
      call_.finish({Code::kInvalidArgument, "not a Message"});
    }
    answer_.set_count(count + 1);
  }
  void on_half_close() override {
    call_.write(serialize(answer_));
    call_.finish({});
  }

 private:
  ServerCall& call_;
  Message answer_;
};

class ServerStream final : public ServerCallHandler {
 public:
  explicit ServerStream(ServerCall& call) : call_(call) {}
  void on_message(std::string_view message) override {
    request_.ParseFromArray(message.data(), static_cast<int>(message.size()));
    send();
  }
  void on_writable() override { send(); }

 private:
  void send() {
    while (sent_ < request_.count() && call_.unsent_bytes() < size_t{64} * 1024) {
      Message answer = request_;
      answer.set_count(++sent_);
      call_.write(serialize(answer));
    }
    if (sent_ == request_.count()) call_.finish({});
  }
  ServerCall& call_;
  Message request_;
  int sent_ = 0;
};

class Bidi final : public ServerCallHandler {
 public:
  explicit Bidi(ServerCall& call) : call_(call) {}
  void on_message(std::string_view message) override {
    call_.write(message);
    call_.consumed(message.size());
  }
  void on_half_close() override { call_.finish({}); }

 private:
  ServerCall& call_;
};

class Hang final : public ServerCallHandler {
 public:
  Hang(ServerCall& call, int& cancelled) : cancelled_(cancelled) { call.send_headers({}); }
  void on_message(std::string_view /*message*/) override {}
  void on_cancelled() override { ++cancelled_; }

 private:
  int& cancelled_;
};

template <typename Handler>
CallFactory make() {
  return [](ServerCall& call) { return std::make_unique<Handler>(call); };
}

int run() {
  const SystemClock clock;
  EventLoop loop(clock);
  ServerOptions options;
  if (const char* folder = std::getenv("ECHO_CERTIFICATES")) {
    const std::string base = folder;
    auto context = TlsServerContext::load({base + "/server.pem", base + "/server.key", ""});
    if (!context.ok()) {
      std::cerr << context.error().to_string() << "\n";
      return 1;
    }
    options.security = *context;
  }
  Server server(loop, options);
  int cancelled = 0;
  server.add_method("/interop.Echo/Unary", make<Unary>());
  server.add_method("/interop.Echo/ClientStream", make<ClientStream>());
  server.add_method("/interop.Echo/ServerStream", make<ServerStream>());
  server.add_method("/interop.Echo/Bidi", make<Bidi>(), {.manual_flow_control = true});
  server.add_method("/interop.Echo/Hang", [&](ServerCall& call) { return std::make_unique<Hang>(call, cancelled); });
  server.add_unary("/interop.Echo/Status", [](ServerCall&, std::string_view request) -> Result<std::string> {
    Message message;
    message.ParseFromArray(request.data(), static_cast<int>(request.size()));
    if (message.code() == 0) return std::string(request);
    return Error(static_cast<Code>(message.code()), message.text());
  });
  server.add_unary("/interop.Echo/Cancelled", [&](ServerCall&, std::string_view) -> Result<std::string> {
    Message answer;
    answer.set_count(cancelled);
    return serialize(answer);
  });
  server.add_unary("/interop.Echo/Drain", [&](ServerCall&, std::string_view) -> Result<std::string> {
    loop.call_after(0, [&] { server.shutdown(10 * kNanosPerSecond, [&] { loop.stop(); }); });
    return std::string();
  });
  HealthService health;
  health.add_to(server.methods());
  health.set_status("", ServingStatus::kServing);
  health.set_status("interop.Echo", ServingStatus::kNotServing);
  // For the test of Watch: a call that changes the watched status.
  server.add_unary("/interop.Echo/Heal", [&](ServerCall&, std::string_view) -> Result<std::string> {
    health.set_status("interop.Echo", ServingStatus::kServing);
    return std::string();
  });
  google::protobuf::FileDescriptorSet files;
  Message::descriptor()->file()->CopyTo(files.add_file());
  const auto reflection = ReflectionService::create({files.SerializeAsString()});
  if (!reflection.ok()) {
    std::cerr << reflection.error().to_string() << "\n";
    return 1;
  }
  (*reflection)->add_to(server.methods());
  const Result<uint16_t> port = server.listen("127.0.0.1", 0);
  if (!port.ok()) {
    std::cerr << port.error().to_string() << "\n";
    return 1;
  }
  std::cout << "listening on " << *port << "\n" << std::flush;
  loop.run();
  return 0;
}

}  // namespace
}  // namespace monitor::grpc

int main() { return monitor::grpc::run(); }

// A server on grpc++'s callback API with idle streams, for comparison: answers the first message of a stream with a
// HelloReply, and keeps reading.
//
//   bench-grpcpp-idle
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <memory>
#include <string>

#include "stream/messages.h"

namespace {

class Reactor final : public grpc::ServerGenericBidiReactor {
 public:
  Reactor() { StartRead(&in_); }
  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    if (!greeted_) {
      greeted_ = true;
      const std::string reply = monitor::stream::encode(monitor::stream::HelloReply{"0", uint64_t{512} * 1024, {}});
      const grpc::Slice slice(reply);
      out_ = grpc::ByteBuffer(&slice, 1);
      StartWrite(&out_);
    }
    StartRead(&in_);
  }
  void OnDone() override { delete this; }

 private:
  bool greeted_ = false;
  grpc::ByteBuffer in_;
  grpc::ByteBuffer out_;
};

class Service final : public grpc::CallbackGenericService {
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override { return new Reactor; }
};

}  // namespace

int main() {
  Service service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterCallbackGenericService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  std::printf("port %d\n", port);
  static_cast<void>(std::fflush(stdout));
  server->Wait();
}

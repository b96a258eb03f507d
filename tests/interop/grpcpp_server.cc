// The interoperability server on grpc++.
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>

#include "echo.grpc.pb.h"

namespace {

using interop::Message;

class EchoService final : public interop::Echo::Service {
 public:
  grpc::Status Unary(grpc::ServerContext* context, const Message* request, Message* response) override {
    for (const auto& [key, value] : context->client_metadata()) {
      const std::string name(key.data(), key.size());
      const std::string text(value.data(), value.size());
      if (name == "x-echo") context->AddInitialMetadata(name, text);
      if (name == "x-echo-bin") context->AddTrailingMetadata(name, text);
    }
    *response = *request;
    return grpc::Status::OK;
  }
  grpc::Status ClientStream(grpc::ServerContext*, grpc::ServerReader<Message>* reader, Message* response) override {
    int count = 0;
    while (reader->Read(response)) ++count;
    response->set_count(count);
    return grpc::Status::OK;
  }
  grpc::Status ServerStream(grpc::ServerContext*, const Message* request,
                            grpc::ServerWriter<Message>* writer) override {
    Message answer = *request;
    for (int i = 1; i <= request->count(); ++i) {
      answer.set_count(i);
      writer->Write(answer);
    }
    return grpc::Status::OK;
  }
  grpc::Status Bidi(grpc::ServerContext*, grpc::ServerReaderWriter<Message, Message>* stream) override {
    Message message;
    while (stream->Read(&message)) stream->Write(message);
    return grpc::Status::OK;
  }
  grpc::Status Status(grpc::ServerContext*, const Message* request, Message*) override {
    return {static_cast<grpc::StatusCode>(request->code()), request->text()};
  }
  grpc::Status Hang(grpc::ServerContext* context, const Message*, grpc::ServerWriter<Message>* writer) override {
    writer->SendInitialMetadata();
    while (!context->IsCancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ++cancelled_;
    return grpc::Status::CANCELLED;
  }
  grpc::Status Cancelled(grpc::ServerContext*, const Message*, Message* response) override {
    response->set_count(cancelled_);
    return grpc::Status::OK;
  }
  grpc::Status Drain(grpc::ServerContext*, const Message*, Message*) override {
    drain.set_value();
    return grpc::Status::OK;
  }
  std::promise<void> drain;

 private:
  std::atomic<int> cancelled_ = 0;
};

std::string read_file(const std::string& path) {
  const std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::shared_ptr<grpc::ServerCredentials> credentials() {
  const char* folder = std::getenv("ECHO_CERTIFICATES");
  if (folder == nullptr) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options;
  const std::string base = folder;
  options.pem_key_cert_pairs.push_back({read_file(base + "/server.key"), read_file(base + "/server.pem")});
  return grpc::SslServerCredentials(options);
}

}  // namespace

int main() {
  EchoService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", credentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) return 1;
  std::cout << "listening on " << port << "\n" << std::flush;
  service.drain.get_future().wait();
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(10));
  return 0;
}

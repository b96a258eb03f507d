// A second stream of an agent's incarnation, as after a suspend and resume of the host. It only sends Hello.
#pragma once

#include <memory>
#include <string>

#include "grpc/client_call.h"
#include "simulation/world.h"
#include "stream/messages.h"

namespace monitor::simulation {

struct World::Intruder final : private grpc::ClientCallHandler {
  Intruder(std::unique_ptr<grpc::CallStarter> to, const stream::Hello& hello) : connection(std::move(to)) {
    call = connection->start("/monitor.v1.Ingest/Publish", {}, *this);
    call->write(stream::encode(hello));
  }

 private:
  void on_message(std::string_view) override {}
  void on_done(const grpc::CallStatus&, const grpc::Metadata&) override {}

  std::unique_ptr<grpc::CallStarter> connection;
  std::unique_ptr<grpc::ClientCall> call;
};

}  // namespace monitor::simulation

// A second stream of an agent's incarnation, as a host that was suspended and resumed might leave behind: it says
// Hello, and nothing more.
#pragma once

#include <memory>
#include <string>

#include "protocol/messages.h"
#include "rpc/client_call.h"
#include "simulation/world.h"

namespace monitor::simulation {

struct World::Intruder final : private rpc::ClientCallHandler {
  Intruder(std::unique_ptr<rpc::CallStarter> to, const protocol::Hello& hello) : connection(std::move(to)) {
    call = connection->start("/monitor.v1.Ingest/Publish", {}, *this);
    call->write(protocol::encode(hello));
  }

 private:
  void on_message(std::string_view) override {}
  void on_done(const rpc::CallStatus&, const rpc::Metadata&) override {}

  std::unique_ptr<rpc::CallStarter> connection;
  std::unique_ptr<rpc::ClientCall> call;
};

}  // namespace monitor::simulation

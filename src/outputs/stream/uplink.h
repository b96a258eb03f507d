// Uplink: keeps a stream to a server open and sends what the spool holds. It connects, waits with jittered backoff
// after a failure, takes the next server in turn, and leaves a server that drains. Everything on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/net/backoff.h"
#include "base/random.h"
#include "grpc/client_call.h"
#include "grpc/client_session.h"
#include "grpc/resolver.h"
#include "stream/sender.h"

namespace monitor::agent {

struct UplinkOptions {
  std::vector<grpc::Target> servers;  // tried in an order shuffled once
  stream::Hello hello;
};

// A new connection to that server. What is returned is destroyed to close it, in a callback of its calls too.
using Connector = std::function<std::unique_ptr<grpc::CallStarter>(const grpc::Target& server)>;

// For the connector. With pings: a server that vanished while the agent may send no more (all of its window is under
// way, and TCP has acknowledged it) would otherwise be waited for without end.
grpc::ClientSessionOptions uplink_session_options();

class Uplink final : private grpc::ClientCallHandler {
 public:
  struct State {
    bool connected = false;  // the server has answered Hello
    std::string server;
    std::string last_error;
    uint64_t connects = 0;
    uint64_t failures = 0;
    size_t in_flight = 0;
    std::string conflict;  // who else sends under this agent id, as the server told lately; empty: nobody
    uint64_t conflicts_told = 0;
  };

  // Timers, random and source must outlive it, as must what the connector uses.
  Uplink(Timers& timers, Connector connector, Random& random, stream::BatchSource& source, UplinkOptions options);
  ~Uplink() override;

  // Called when State::conflict came or went.
  void set_on_conflict(std::function<void()> call) { on_conflict_ = std::move(call); }
  void start();
  // The source has something new.
  void wake();
  // Sends what can be sent and calls back, later, when all of it is answered, or at once when there is no stream. The
  // owner sets the limit of time.
  void drain(std::function<void()> done);
  State state() const;

 private:
  void connect();
  void retry(const std::string& why);
  void pump();
  void end_stream();
  void maybe_drained();
  void take_notice(const stream::Notice& notice);
  std::string server_name() const;

  void on_message(std::string_view message) override;
  void on_writable() override { pump(); }
  void on_done(const grpc::CallStatus& status, const grpc::Metadata& trailers) override;

  Timers& timers_;
  Connector connector_;
  stream::BatchSource& source_;
  UplinkOptions options_;
  size_t server_ = 0;
  Backoff backoff_;
  Timers::TimerId retry_timer_ = 0;
  Timers::TimerId hello_timer_ = 0;
  std::unique_ptr<grpc::CallStarter> connection_;
  std::unique_ptr<grpc::ClientCall> call_;
  std::optional<stream::Sender> sender_;
  std::function<void()> drained_;
  std::function<void()> on_conflict_;
  Timers::TimerId conflict_timer_ = 0;
  State state_;
  bool stopped_ = false;
};

}  // namespace monitor::agent

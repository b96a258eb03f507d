// Uplink: the output that keeps a stream to a server open. It connects, waits with jittered backoff after a failure,
// takes the next server in turn, and leaves a server that drains. The stream's window is its back-pressure.
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
#include "outputs/output.h"
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

class Uplink final : public Output, private grpc::ClientCallHandler {
 public:
  // Timers, random and source must outlive it, as must what the connector uses.
  Uplink(Timers& timers, Connector connector, Random& random, stream::BatchSource& source, UplinkOptions options);
  ~Uplink() override;

  void start() override;
  void wake() override;
  void drain(std::function<void()> done) override;
  // `warning`: who else sends under this agent id, as the server reported lately.
  OutputState state() const override;
  std::vector<OutputMetric> metrics() const override;
  void set_on_warning(std::function<void()> call) override { on_warning_ = std::move(call); }

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
  std::function<void()> on_warning_;
  Timers::TimerId conflict_timer_ = 0;
  bool connected_ = false;  // the server has answered Hello
  std::string last_error_;
  std::string conflict_;
  uint64_t connects_ = 0;
  uint64_t failures_ = 0;
  uint64_t conflicts_told_ = 0;
  bool stopped_ = false;
};

}  // namespace monitor::agent

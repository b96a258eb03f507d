// Uplink: the output that sends batches to a server on a stream (publish_client.h). After a failure, or when a server
// drains, it uses the next server in turn. The stream's window is its back-pressure.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/random.h"
#include "grpc/client_session.h"
#include "grpc/resolver.h"
#include "outputs/output.h"
#include "outputs/stream/publish_client.h"
#include "stream/batch_source.h"

namespace monitor::agent {

struct UplinkOptions {
  std::vector<HostPort> servers;  // tried in an order that is shuffled once
  stream::Hello hello;
  std::function<CertificateValidity()> certificate = {};  // of the agent; none: it has none
};

// Opens a connection to the server. Destroying the result closes it; this may happen in a callback of one of its calls.
using Connector = std::function<std::unique_ptr<grpc::CallStarter>(const HostPort& server)>;

// Options for the connector. Pings are enabled, because otherwise a vanished server could go unnoticed: once the whole
// window is in flight and TCP has acknowledged it, the agent may send nothing that would fail.
grpc::ClientSessionOptions uplink_session_options();

class Uplink final : public Output, private PublishListener {
 public:
  // Timers, random, source, and everything that the connector uses must outlive it.
  Uplink(Timers& timers, Connector connector, Random& random, stream::BatchSource& source, UplinkOptions options);
  ~Uplink() override;

  void start() override { client_.start(); }
  void wake() override { client_.pump(); }
  void drain(std::function<void()> done) override;
  // `warning`: what a server reported recently: that it refuses this agent, that another host sends under this agent
  // id, that this agent exceeds a limit.
  OutputState state() const override;
  std::vector<OutputMetric> metrics() const override;
  void set_on_warning(std::function<void()> call) override { on_warning_ = std::move(call); }

 private:
  // A report that the server repeats while it holds.
  struct Report {
    std::string text;
    Timers::TimerId timer = 0;
    uint64_t told = 0;
  };

  std::unique_ptr<grpc::CallStarter> on_connect() override { return connector_(servers_[server_]); }
  void on_established(const stream::Sender& sender) override;
  void on_notice(const stream::Notice& notice) override;
  void on_server_drained() override;
  void on_progress() override { maybe_drained(); }
  void on_failed(const Error& why, int64_t wait_ns) override;
  void set_refusal(std::string text);
  void take(Report& report, const std::string& text);
  void maybe_drained();
  std::string server_name() const;

  Timers& timers_;
  Connector connector_;
  std::vector<HostPort> servers_;
  std::function<CertificateValidity()> certificate_;
  size_t server_ = 0;
  PublishClient client_;
  std::function<void()> drained_;
  std::function<void()> on_warning_;
  bool server_drained_ = false;  // and this is why the stream ends
  std::string last_error_;
  Report conflict_;
  Report limited_;
  std::string refusal_;  // a server's, until one accepts this agent
  uint64_t connects_ = 0;
  uint64_t failures_ = 0;
};

}  // namespace monitor::agent

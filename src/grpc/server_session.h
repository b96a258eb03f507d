// ServerSession: the server's side of one HTTP/2 connection that carries gRPC calls, without sockets, threads or clocks
// of its own. Bytes go in and out by the methods of ByteMachine; deadlines and limits are timers of `timers`.
//
// A peer that breaks HTTP/2's rules, or floods, gets GOAWAY and finished() becomes true; it can cost no more memory
// than the limits say. Handlers may finish any call and destroy the session. Destroying it destroys the handlers of
// running calls without a callback.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/event_loop.h"
#include "base/result.h"
#include "grpc/byte_budget.h"
#include "grpc/byte_machine.h"
#include "grpc/server_call.h"

namespace monitor::grpc {

// Times are in nanoseconds; a time of 0 switches that limit off.
struct ServerLimits {
  size_t max_connections = 20'000;  // of a Server; more are closed at once
  uint32_t max_concurrent_streams = 256;
  size_t max_message_bytes = kDefaultMaxMessageBytes;
  uint32_t max_header_list_bytes = 16 * 1024;
  uint32_t stream_window_bytes = 256 * 1024;
  uint32_t connection_window_bytes = 1024 * 1024;
  // Memory for incomplete messages and for output, of all calls of a connection.
  size_t max_partial_bytes = size_t{32} * 1024 * 1024;
  size_t max_unsent_bytes = size_t{32} * 1024 * 1024;
  // The same memory, of all connections; nullptr: there is no bound. Must outlive the sessions. A call whose incomplete
  // message finds no room ends; a connection whose replies find none is closed.
  ByteBudget* buffers = nullptr;

  int64_t handshake_timeout_ns = 20 * kNanosPerSecond;  // until the client's SETTINGS, TLS included
  int64_t first_call_timeout_ns = 0;                    // from SETTINGS to the first call
  int64_t idle_timeout_ns = 0;                          // without a call
  int64_t header_timeout_ns = 10 * kNanosPerSecond;     // for a header block to end
  // For a message to be complete: a call's first one from its headers on, others from their first byte; and a second
  // more for each 4 KiB. Does not run while the window keeps the client from sending.
  int64_t message_timeout_ns = 30 * kNanosPerSecond;
  int64_t max_age_ns = 0;                           // then GOAWAY
  int64_t max_age_grace_ns = 60 * kNanosPerSecond;  // then the calls that still run are cut
  int64_t stall_timeout_ns = 60 * kNanosPerSecond;  // output that the peer's TCP, or its windows, do not take

  // Pings of ours on a link that was silent this long: what finds a host that is gone.
  int64_t keepalive_interval_ns = 120 * kNanosPerSecond;
  int64_t keepalive_timeout_ns = 20 * kNanosPerSecond;
  // Client's pings: more than `max_ping_strikes` closer together than this (a tenth is forgiven), with nothing
  // sent by us between, end it.
  int64_t min_ping_interval_ns = 10 * kNanosPerSecond;
  int max_ping_strikes = 2;
  // Budgets a connection, as a burst and what is added each second: RST_STREAM frames; all other frames that cost
  // us work and carry nothing (SETTINGS, PING, PRIORITY, CONTINUATION, empty DATA); WINDOW_UPDATE frames; fields and
  // decoded bytes of header blocks (http2.h).
  double reset_burst = 1000;
  double resets_per_second = 33;
  double control_burst = 1000;
  double controls_per_second = 100;
  double window_burst = 20'000;
  double windows_per_second = 5'000;
  double header_burst_bytes = 1024 * 1024;
  double header_bytes_per_second = 512 * 1024;
  double header_burst_fields = 20'000;
  double header_fields_per_second = 8'000;
};

struct PeerInfo {
  std::string address;
  // Set once TLS knows it; nullptr without.
  const PeerCertificate* certificate = nullptr;
};

class ServerSessionHandler {
 public:
  virtual ~ServerSessionHandler() = default;
  // There is output (again): called at most once until pending_output() is called. Send it soon, not from within.
  virtual void on_output_wanted() = 0;
  // finished() became true; the reason says OK code kUnavailable for a normal end.
  virtual void on_finished(const Error& /*reason*/) {}
};

class ServerSession final : public ByteMachine {
 public:
  // All references must outlive the session.
  ServerSession(Timers& timers, const ServerLimits& limits, const MethodTable& methods, PeerInfo peer,
                ServerSessionHandler& handler);
  ~ServerSession() override;
  ServerSession(const ServerSession&) = delete;
  ServerSession& operator=(const ServerSession&) = delete;

  void receive(std::string_view bytes) override;
  std::string_view pending_output() override;
  void consume_output(size_t bytes) override;
  void connection_lost(const Error& error) override;
  bool finished() const override;

  void set_peer_certificate(const PeerCertificate* certificate);
  size_t active_calls() const;
  // Graceful: GOAWAY as a notice, after a round trip GOAWAY with the last call that is taken; finished when the calls
  // have ended.
  void drain();
  // GOAWAY at once; calls that run are cancelled.
  void close(const Error& reason);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace monitor::grpc

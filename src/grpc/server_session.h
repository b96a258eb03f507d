// ServerSession: the server side of an HTTP/2 connection with gRPC calls. It has no sockets, threads or clocks: bytes
// pass through the methods of ByteMachine, deadlines and limits are timers of `timers`.
//
// A peer that violates HTTP/2 or floods gets GOAWAY, and finished() becomes true. Its memory is bounded by the limits.
// Handlers may finish any call and destroy the session. The destructor destroys the handlers of running calls without a
// callback.
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

// Times are in nanoseconds; 0 disables a time limit.
struct ServerLimits {
  size_t max_connections = 20'000;  // of one Server; further connections are closed at once
  uint32_t max_concurrent_streams = 256;
  size_t max_message_bytes = kDefaultMaxMessageBytes;
  uint32_t max_header_list_bytes = 16 * 1024;
  uint32_t stream_window_bytes = 256 * 1024;
  uint32_t connection_window_bytes = 1024 * 1024;
  // Memory of a connection for incomplete messages and unsent output of all its calls.
  size_t max_partial_bytes = size_t{32} * 1024 * 1024;
  size_t max_unsent_bytes = size_t{32} * 1024 * 1024;
  // The same memory summed over all connections; nullptr: unlimited. Must outlive the sessions. A call without room for
  // its incomplete message ends; a connection without room for its replies is closed.
  ByteBudget* buffers = nullptr;

  int64_t handshake_timeout_ns = 20 * kNanosPerSecond;  // until the client's SETTINGS, TLS included
  int64_t first_call_timeout_ns = 0;                    // from SETTINGS to the first call
  int64_t idle_timeout_ns = 0;                          // without a call
  int64_t header_timeout_ns = 10 * kNanosPerSecond;     // for a header block to end
  // Time for a message to be complete, plus a second for each 4 KiB. It starts with the headers for a call's first
  // message, else with the message's first byte, and pauses while the window keeps the client from sending.
  int64_t message_timeout_ns = 30 * kNanosPerSecond;
  int64_t max_age_ns = 0;                           // the age at which the server sends GOAWAY
  double max_age_jitter = 0;                        // spreads that age by this part of it, both ways
  int64_t max_age_grace_ns = 60 * kNanosPerSecond;  // after GOAWAY; then running calls are cancelled
  int64_t stall_timeout_ns = 60 * kNanosPerSecond;  // time for which the peer's TCP or windows may block output

  // Silence after which the server pings, to detect a vanished host.
  int64_t keepalive_interval_ns = 120 * kNanosPerSecond;
  int64_t keepalive_timeout_ns = 20 * kNanosPerSecond;
  // More than `max_ping_strikes` client pings closer together than this (with a tolerance of a tenth), with no output
  // in between, end the connection.
  int64_t min_ping_interval_ns = 10 * kNanosPerSecond;
  int max_ping_strikes = 2;
  // Rate limits of a connection (burst, refill per second). In order: RST_STREAM frames; other frames that cost work
  // but carry no data (SETTINGS, PING, PRIORITY, CONTINUATION, empty DATA); WINDOW_UPDATE frames; fields and decoded
  // bytes of header blocks (http2.h).
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
  // Set after the TLS handshake; nullptr without TLS.
  const PeerCertificate* certificate = nullptr;
};

using ServerSessionHandler = ByteMachineHandler;

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
  // Graceful shutdown: a GOAWAY notice, and after a round trip GOAWAY with the last accepted call. Finished when the
  // calls have ended.
  void drain();
  // Sends GOAWAY at once and cancels running calls.
  void close(const Error& reason);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace monitor::grpc

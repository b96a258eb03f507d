// ClientSession: the client side of an HTTP/2 connection with gRPC calls. It has no sockets, threads or clocks: bytes
// pass through the methods of ByteMachine, deadlines are timers of `timers`.
//
// It may be used before there is a connection; calls then wait as pending output. Handlers may start, cancel and
// destroy calls, and may destroy the session. The destructor ends its calls without a callback.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/event_loop.h"
#include "base/result.h"
#include "grpc/byte_machine.h"
#include "grpc/client_call.h"

namespace monitor::grpc {

struct ClientSessionOptions {
  // The :authority of calls: the server's name and port.
  std::string authority = "localhost";
  bool secure = false;  // the :scheme: https, or http
  std::string user_agent = "monitor-rpc/1.0";
  uint32_t stream_window_bytes = 256 * 1024;
  uint32_t connection_window_bytes = 1024 * 1024;
  uint32_t max_header_list_bytes = 16 * 1024;
  // Interval without a byte from the server after which a ping is sent while calls run. 0: off; less than 10 s counts
  // as 10 s. Servers answer too frequent pings with GOAWAY (gRPC's: more often than every 300 s).
  int64_t keepalive_interval_ns = 0;
  int64_t keepalive_timeout_ns = 20'000'000'000;
};

struct GoAway {
  uint32_t error_code = 0;  // HTTP/2's
  std::string debug_data;
};

class ClientSessionHandler : public ByteMachineHandler {
 public:
  // The server's first SETTINGS arrived, so it speaks HTTP/2.
  virtual void on_ready() {}
  // The server sent GOAWAY. Running calls continue; new calls end with UNAVAILABLE.
  virtual void on_goaway(const GoAway& /*goaway*/) {}
};

class ClientSession final : public ByteMachine, public CallStarter {
 public:
  ClientSession(Timers& timers, const ClientSessionOptions& options, ClientSessionHandler& handler);
  ~ClientSession() override;
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  void receive(std::string_view bytes) override;
  std::string_view pending_output() override;
  void consume_output(size_t bytes) override;
  void connection_lost(const Error& error) override;
  bool finished() const override;

  std::unique_ptr<ClientCall> start(std::string_view path, const CallOptions& options,
                                    ClientCallHandler& handler) override;
  // True if new calls are accepted: not finished, and no GOAWAY.
  bool accepts_calls() const;
  // Number of running calls.
  size_t active_calls() const;
  // Accepts no more calls; finished when the running ones have ended.
  void drain();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace monitor::grpc

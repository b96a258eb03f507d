// ClientSession: the client's side of one HTTP/2 connection that carries gRPC calls, without sockets, threads or clocks
// of its own. Bytes go in and out by the methods of ByteMachine; deadlines are timers of `timers`.
//
// It may be used before there is a connection: calls then wait as pending output. Handlers may start, cancel and
// destroy calls, and may destroy the session. Destroying it ends its calls without a callback.
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
  // The :authority of calls: the name the server is known by, with its port.
  std::string authority = "localhost";
  bool secure = false;  // the :scheme: https, or http
  std::string user_agent = "monitor-rpc/1.0";
  uint32_t stream_window_bytes = 256 * 1024;
  uint32_t connection_window_bytes = 1024 * 1024;
  uint32_t max_header_list_bytes = 16 * 1024;
  // A ping is sent after this long without a byte from the server while calls run; 0 is off, less than 10 s is taken
  // as 10 s. Servers answer pings that come too often (gRPC's: more often than every 300 s) with GOAWAY.
  int64_t keepalive_interval_ns = 0;
  int64_t keepalive_timeout_ns = 20'000'000'000;
};

struct GoAway {
  uint32_t error_code = 0;  // HTTP/2's
  std::string debug_data;
};

class ClientSessionHandler {
 public:
  virtual ~ClientSessionHandler() = default;
  // There is output (again): called at most once until pending_output() is called. Send it soon, not from within.
  virtual void on_output_wanted() = 0;
  // The server's first SETTINGS arrived: it does speak HTTP/2.
  virtual void on_ready() {}
  // The server takes no new calls; those that run go on. Calls started from now on end with UNAVAILABLE.
  virtual void on_goaway(const GoAway& /*goaway*/) {}
  // finished() became true; the calls have ended.
  virtual void on_finished(const Error& /*reason*/) {}
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
  // New calls are accepted: neither finished, nor told to go away.
  bool accepts_calls() const;
  // Calls that have not ended.
  size_t active_calls() const;
  // Accepts no more calls; finished when those that run have ended.
  void drain();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace monitor::grpc

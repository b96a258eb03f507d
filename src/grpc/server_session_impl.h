// Private parts of ServerSession, shared by server_session.cc (the connection) and server_stream.cc (its calls).
#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "grpc/header_encoding.h"
#include "grpc/inactivity_timer.h"
#include "grpc/rate_budget.h"
#include "grpc/server_session.h"
#include "grpc/session.h"

namespace monitor::grpc {

// Memory that a connection holds for its client, charged to the budget that all connections share.
struct HeldMemory {
  explicit HeldMemory(ByteBudget* shared) : budget(shared) {}
  ~HeldMemory() {
    if (charged > 0) budget->give_back(charged, 0);
  }
  HeldMemory(const HeldMemory&) = delete;
  HeldMemory& operator=(const HeldMemory&) = delete;

  // Brings the charge up to date. Returns false if the budget has no room; the charge is then too low.
  bool charge();

  size_t partial = 0;  // of incomplete messages
  size_t unsent = 0;
  size_t calls = 0;  // running calls: themselves, their headers, and the requests of unary calls
  ByteBudget* const budget;
  size_t charged = 0;
};

class ServerSession::Impl final : public Session {
 public:
  Impl(Timers& timers, const ServerLimits& limits, const MethodTable& methods, PeerInfo peer,
       ServerSessionHandler& handler);
  ~Impl() override;

  void fail(const Error& error) override;
  size_t active_calls() const { return active_; }
  void drain();
  void close(const Error& reason);
  void detach();
  PeerInfo& peer() { return peer_; }

 private:
  struct Stream;

  // --- Events of Http2.
  Http2Stream* on_begin_stream(int32_t id) override;
  void on_header(Http2Stream& stream, std::string_view name, std::string_view value) override;
  void on_header_block(Http2Stream& stream, bool end_stream) override;
  void on_data(Http2Stream& stream, std::string_view bytes) override;
  void on_remote_end(Http2Stream& stream) override;
  void on_stream_closed(Http2Stream& stream, uint32_t h2_error) override;
  bool on_end_of_data(Http2Stream& stream) override;
  void on_data_sent(Http2Stream& stream, size_t bytes) override;
  void on_end_sent(Http2Stream& stream) override;
  void on_settings() override;
  void on_goaway_received(uint32_t h2_error, std::string_view debug_data) override;
  void on_probe_answered() override { final_goaway(); }
  void on_control_frame(ControlFrame frame) override;
  void on_payload_sent() override { ping_strikes_ = 0; }
  void on_flood(std::string_view why) override;
  void on_goaway_sent(const Error& error) override;
  void on_broken(const Error& error) override { fail(error.with_context("HTTP/2")); }
  bool keepalive_needed() const override { return true; }

  // --- Deferred events.
  void deliver_writable(SessionStream& stream) override;
  bool events_wait() const override { return !closed_.empty() || !over_.empty(); }
  void deliver_events() override;
  void end_calls() override;

  void cancel_timers();
  void final_goaway();

  const ServerLimits& limits_;
  const MethodTable& methods_;
  PeerInfo peer_;
  std::unordered_map<Stream*, std::unique_ptr<Stream>> streams_;
  std::vector<std::unique_ptr<Stream>> closed_;  // destroyed when no event handler is running
  std::vector<std::unique_ptr<ServerCallHandler>> over_;

  RateBudget resets_;
  RateBudget controls_;
  RateBudget windows_;
  int64_t last_ping_ns_ = 0;
  int ping_strikes_ = 0;

  Timers::TimerId handshake_timer_ = 0;
  Timers::TimerId age_timer_ = 0;
  Timers::TimerId drain_timer_ = 0;
  InactivityTimer idle_;   // no call runs
  InactivityTimer stall_;  // output waits, and the client reads nothing
  HeldMemory held_;
  size_t active_ = 0;
  bool ready_ = false;
  bool draining_ = false;
  bool final_goaway_sent_ = false;
};

struct ServerSession::Impl::Stream final : SessionStream, ServerCall {
  Stream(Impl& owner, uint32_t window_bytes)
      : SessionStream(kDefaultMaxMessageBytes, window_bytes, false), session(owner) {}

  // --- ServerCall.
  std::string_view path() const override { return request_path; }
  const Metadata& metadata() const override { return request_metadata; }
  const std::string& peer() const override { return session.peer_.address; }
  const PeerCertificate* peer_certificate() const override { return session.peer_.certificate; }
  int64_t deadline_ns() const override { return deadline; }
  void send_headers(const Metadata& headers) override;
  void write(std::string_view message) override;
  void finish(const CallStatus& status, const Metadata& last) override;
  size_t unsent_bytes() const override { return send.size(); }
  void consumed(size_t bytes) override;

  // --- From the headers to the handler.
  void request_header(std::string_view name, std::string_view value);
  // Answers, or starts the method's handler.
  void begin();
  std::optional<CallStatus> refusal() const;
  void dispatch();
  void answer_http_status(std::string_view status);

  // --- Messages.
  void receive(std::string_view bytes);
  void incomplete(Deframer::Next next);
  void watch_message();
  void message_due();

  // --- Memory.
  // Charges the call until it is closed. Returns false after refusing the call for lack of memory.
  bool grow(size_t bytes);
  // A call costs memory before its first message, mostly for headers, which it keeps until it ends.
  bool charge_headers();
  void drop_partial();

  // --- The end.
  bool over() const { return finished || gone; }
  // The handler is done; HTTP/2 may still be sending.
  void end();
  void cancelled();
  void deadline_passed();
  // HTTP/2 has closed the stream.
  void closed();

  Impl& session;
  const MethodTable::Method* method = nullptr;
  std::unique_ptr<ServerCallHandler> handler;
  int64_t deadline = INT64_MAX;
  Timers::TimerId message_timer = 0;
  int64_t message_since_ns = 0;  // a message is awaited since then; 0: none is
  bool in_data = false;          // inside receive(): the deframer's message may be in use
  bool first_message = true;

  bool dispatched = false;
  bool bad_timeout = false;
  bool headers_submitted = false;
  bool finished = false;  // finish() was called
  bool gone = false;      // nothing can be sent any more
  bool counted = false;   // in active_
  size_t partial = 0;     // its part of HeldMemory::partial
  size_t cost = 0;        // its part of HeldMemory::calls
  std::string request_path;
  std::string request_method;
  std::optional<int64_t> timeout;
  Metadata request_metadata;
  CallStatus final_status;
  Metadata trailers;
};

}  // namespace monitor::grpc

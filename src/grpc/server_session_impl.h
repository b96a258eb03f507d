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
#include "grpc/http2.h"
#include "grpc/rate_budget.h"
#include "grpc/server_session.h"

namespace monitor::grpc {

class ServerSession::Impl final : public Http2, public std::enable_shared_from_this<Impl> {
 public:
  Impl(Timers& timers, const ServerLimits& limits, const MethodTable& methods, PeerInfo peer,
       ServerSessionHandler& handler);
  ~Impl() override;

  void receive(std::string_view bytes);
  std::string_view pending_output();
  void consume_output(size_t bytes);
  void fail(const Error& error);
  bool finished() const { return finished_; }
  size_t active_calls() const { return active_; }
  void drain();
  void close(const Error& reason);
  void detach();
  PeerInfo& peer() { return peer_; }

 private:
  struct Stream;

  // --- Events of Http2.
  void on_want_output() override;
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

  // --- Calls.
  void request_header(Stream& stream, std::string_view name, std::string_view value);
  std::optional<CallStatus> refusal(const Stream& stream) const;
  void dispatch(Stream& stream);
  void answer_http_status(Stream& stream, std::string_view status);
  void ensure_headers(Stream& stream, const Metadata& headers);
  void finish(Stream& stream, const CallStatus& status, const Metadata& trailers);
  void end_call(Stream& stream);
  void cancelled(Stream& stream);
  void deadline_passed(Stream& stream);
  void written(Stream& stream, size_t bytes);
  void incomplete(Stream& stream, Deframer::Next next);
  void watch_message(Stream& stream);
  void message_due(Stream& stream);
  void drop_partial(Stream& stream);
  bool grow(Stream& stream, size_t bytes);
  bool charge_call(Stream& stream);
  void drop_call(Stream& stream);

  // --- The session.
  void flood(std::string_view what);
  void cancel_timers();
  bool charge();
  void watch_stall();
  void stall_due();
  void final_goaway();
  void arm_idle();
  void idle_due();
  void schedule_events();
  void run_events();
  void erase_closed();

  Timers& timers_;
  const ServerLimits& limits_;
  const MethodTable& methods_;
  PeerInfo peer_;
  ServerSessionHandler* handler_;
  std::unordered_map<Stream*, std::unique_ptr<Stream>> streams_;
  std::vector<std::unique_ptr<Stream>> closed_;  // destroyed when no event handler is running
  std::vector<std::unique_ptr<ServerCallHandler>> over_;
  std::vector<Stream*> writable_;

  RateBudget resets_;
  RateBudget controls_;
  RateBudget windows_;
  int64_t last_ping_ns_ = 0;
  int ping_strikes_ = 0;

  Timers::TimerId handshake_timer_ = 0;
  Timers::TimerId age_timer_ = 0;
  Timers::TimerId idle_timer_ = 0;
  Timers::TimerId drain_timer_ = 0;
  Timers::TimerId events_timer_ = 0;
  Timers::TimerId stall_timer_ = 0;
  int64_t stalled_since_ns_ = 0;  // the last time that output moved
  int64_t idle_since_ns_ = 0;
  size_t active_ = 0;
  size_t partial_bytes_ = 0;
  size_t unsent_bytes_ = 0;
  size_t call_bytes_ = 0;  // held by running calls: themselves, their headers, and the requests of unary calls
  size_t charged_ = 0;     // of ServerLimits::buffers
  bool in_receive_ = false;
  bool ready_ = false;
  bool draining_ = false;
  bool final_goaway_sent_ = false;
  bool finished_ = false;
  bool finish_told_ = false;
  Error finish_reason_{Code::kUnavailable, "connection closed"};
};

struct ServerSession::Impl::Stream final : Http2Stream, ServerCall {
  Stream(Impl& owner, uint32_t window_bytes)
      : session(owner), deframer(kDefaultMaxMessageBytes), window(window_bytes, false) {}

  std::string_view path() const override { return request_path; }
  const Metadata& metadata() const override { return request_metadata; }
  const std::string& peer() const override { return session.peer_.address; }
  const PeerCertificate* peer_certificate() const override { return session.peer_.certificate; }
  int64_t deadline_ns() const override { return deadline; }
  void send_headers(const Metadata& headers) override { session.ensure_headers(*this, headers); }
  void write(std::string_view message) override {
    if (over() || session.finished_) return;
    session.ensure_headers(*this, {});
    send.push_message(message);
    session.written(*this, message.size() + kMessagePrefixBytes);
  }
  void finish(const CallStatus& status, const Metadata& last) override { session.finish(*this, status, last); }
  size_t unsent_bytes() const override { return send.size(); }
  void consumed(size_t bytes) override {
    if (over()) return;
    session.give_back(*this, window.consumed(bytes));
    // The time limit of a message only runs while the client is able to send it.
    if (message_since_ns != 0 && window.unconfirmed() == 0) message_since_ns = session.timers_.clock().mono_ns();
  }
  bool over() const { return finished || gone; }

  Impl& session;
  const MethodTable::Method* method = nullptr;
  std::unique_ptr<ServerCallHandler> handler;
  Deframer deframer;
  ReceiveWindow window;
  int64_t deadline = INT64_MAX;
  Timers::TimerId deadline_timer = 0;
  Timers::TimerId message_timer = 0;
  int64_t message_since_ns = 0;  // since when a message is awaited; 0: none is
  bool in_data = false;          // inside on_data(): the deframer's message may be in use
  bool first_message = true;

  bool dispatched = false;
  bool bad_metadata = false;
  bool bad_timeout = false;
  bool headers_submitted = false;
  bool finished = false;  // finish() was called
  bool gone = false;      // nothing can be sent any more
  bool counted = false;   // in active_
  bool above_low_water = false;
  bool writable_queued = false;
  size_t partial = 0;  // its part of partial_bytes_
  size_t cost = 0;     // its part of call_bytes_
  std::string request_path;
  std::string request_method;
  std::string content_type;
  std::string encoding;
  std::optional<int64_t> timeout;
  Metadata request_metadata;
  CallStatus final_status;
  Metadata trailers;
};

}  // namespace monitor::grpc

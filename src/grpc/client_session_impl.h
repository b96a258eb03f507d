// Private parts of ClientSession, shared by client_session.cc (the connection) and client_stream.cc (its calls).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "grpc/client_session.h"
#include "grpc/header_encoding.h"
#include "grpc/rate_budget.h"
#include "grpc/session.h"

namespace monitor::grpc {

class ClientSession::Impl final : public Session {
 public:
  Impl(Timers& timers, const ClientSessionOptions& options, ClientSessionHandler& handler);
  ~Impl() override;

  void fail(const Error& error) override;
  std::unique_ptr<ClientCall> start(std::string_view path, const CallOptions& options, ClientCallHandler& handler);
  bool accepts_calls() const { return !finished_ && !going_away_; }
  size_t active_calls() const { return active_; }
  void drain();
  void detach();

 private:
  class Handle;
  struct Stream;

  // --- Events of Http2.
  void on_header(Http2Stream& stream, std::string_view name, std::string_view value) override;
  void on_header_block(Http2Stream& stream, bool end_stream) override;
  void on_data(Http2Stream& stream, std::string_view bytes) override;
  void on_remote_end(Http2Stream& stream) override;
  void on_stream_closed(Http2Stream& stream, uint32_t h2_error) override;
  void on_data_sent(Http2Stream& stream, size_t bytes) override;
  void on_settings() override;
  void on_goaway_received(uint32_t h2_error, std::string_view debug_data) override;
  void on_control_frame(ControlFrame frame) override;
  void on_flood(std::string_view why) override;
  void on_goaway_sent(const Error& error) override;
  void on_broken(const Error& error) override;
  bool keepalive_needed() const override { return active_ > 0; }

  // --- Calls.
  void submit(Stream& stream, std::string_view path, const CallOptions& options);
  void end(Stream& stream, CallStatus status);
  void end_and_reset(Stream& stream, CallStatus status, H2Error code);
  void deadline_passed(Stream& stream);
  void first_headers(Stream& stream);
  void deliver_messages(Stream& stream, std::string_view bytes);

  void erase(Stream& stream);

  // --- Deferred events.
  void deliver_writable(SessionStream& stream) override;
  bool events_wait() const override { return !ended_.empty(); }
  void deliver_events() override;
  void end_calls() override;

  ClientSessionOptions options_;
  ClientSessionHandler& handler_;  // only while attached()
  // Owned until both HTTP/2 and pending events are done with them.
  std::unordered_map<Stream*, std::unique_ptr<Stream>> streams_;
  std::vector<Stream*> ended_;          // on_done is due
  RateBudget controls_{20'000, 5'000};  // generous, since servers measure the link with pings
  RateBudget windows_{100'000, 50'000};
  size_t active_ = 0;
  bool ready_ = false;
  bool going_away_ = false;
  bool flooded_ = false;
};

struct ClientSession::Impl::Stream final : SessionStream {
  Stream(const CallOptions& options, uint32_t window_bytes)
      : SessionStream(options.max_message_bytes, window_bytes, options.manual_flow_control),
        low_water(options.low_water_bytes),
        deadline_text(options.timeout_ns) {}

  CallStatus status_of_trailers() const;
  // `not_sent`: why the connection ended, for a call that it never sent.
  CallStatus status_of_close(uint32_t h2_error, const Error& not_sent) const;

  Handle* handle = nullptr;
  ClientCallHandler* handler = nullptr;
  size_t low_water;
  int64_t deadline_text;  // the timeout, for the error message

  bool h2_open = false;  // nghttp2 has the stream, and will report its close
  bool have_headers = false;
  bool ended = false;           // final_status is set
  bool done_delivered = false;  // on_done was called, or the user destroyed the call
  int http_status = 0;
  std::optional<std::string> grpc_status;
  std::string grpc_message;
  Metadata metadata;  // of the current header block; at the end, the trailers
  CallStatus final_status;
};

// The user's handle. Session and handle hold pointers to one another; whichever is destroyed first clears the other's
// pointer.
class ClientSession::Impl::Handle final : public ClientCall {
 public:
  Handle(Impl& session, Stream& stream) : session_(&session), stream_(&stream) { stream.handle = this; }
  ~Handle() override {
    if (stream_ == nullptr) return;
    stream_->handle = nullptr;
    stream_->handler = nullptr;
    if (!stream_->ended) session_->end_and_reset(*stream_, {Code::kCancelled, ""}, H2Error::kCancel);
  }
  void orphan() { stream_ = nullptr; }

  void write(std::string_view message) override {
    if (stream_ == nullptr || stream_->ended || stream_->send_ended) return;
    stream_->send.push_message(message);
    stream_->above_low_water |= stream_->send.size() > stream_->low_water;
    session_->resume(*stream_);
  }
  void half_close() override {
    if (stream_ == nullptr || stream_->ended || stream_->send_ended) return;
    stream_->send_ended = true;
    session_->resume(*stream_);
  }
  void cancel() override {
    if (stream_ == nullptr || stream_->ended) return;
    session_->end_and_reset(*stream_, {Code::kCancelled, "cancelled by the client"}, H2Error::kCancel);
  }
  size_t unsent_bytes() const override { return stream_ == nullptr ? 0 : stream_->send.size(); }
  void consumed(size_t bytes) override {
    if (stream_ == nullptr || stream_->ended) return;
    session_->give_back(*stream_, stream_->window.consumed(bytes));
  }

 private:
  Impl* session_;
  Stream* stream_;
};

}  // namespace monitor::grpc

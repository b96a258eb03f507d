// ClientSession: the connection: GOAWAY, floods, deferred events.
#include "grpc/client_session.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "grpc/client_session_impl.h"

namespace monitor::grpc {
namespace {
constexpr int64_t kMinKeepaliveInterval = 10 * kNanosPerSecond;
constexpr int64_t kHeaderTimeout = 20 * kNanosPerSecond;

Http2Options http2_options(const ClientSessionOptions& options) {
  Http2Options out;
  out.stream_window_bytes = options.stream_window_bytes;
  out.connection_window_bytes = options.connection_window_bytes;
  out.max_header_list_bytes = options.max_header_list_bytes;
  // One connection may carry thousands of short calls a second.
  out.header_burst_bytes = 16.0 * 1024 * 1024;
  out.header_bytes_per_second = 16.0 * 1024 * 1024;
  out.header_burst_fields = 200'000;
  out.header_fields_per_second = 200'000;
  out.header_timeout_ns = kHeaderTimeout;
  if (options.keepalive_interval_ns > 0) {
    out.keepalive_interval_ns = std::max(options.keepalive_interval_ns, kMinKeepaliveInterval);
    out.keepalive_timeout_ns = options.keepalive_timeout_ns;
  }
  return out;
}

}  // namespace

ClientSession::Impl::Impl(Timers& timers, const ClientSessionOptions& options, ClientSessionHandler& handler)
    : Session(timers, http2_options(options), handler), options_(options), handler_(handler) {}

ClientSession::Impl::~Impl() {
  for (auto& [stream, owner] : streams_) {
    timers_.cancel_timer(stream->deadline_timer);
    if (stream->handle != nullptr) stream->handle->orphan();
  }
}

void ClientSession::Impl::detach() {
  detach_handler();
  for (auto& [stream, owner] : streams_) {
    timers_.cancel_timer(stream->deadline_timer);
    stream->deadline_timer = 0;
    stream->handler = nullptr;
    if (stream->handle != nullptr) stream->handle->orphan();
    stream->handle = nullptr;
  }
}

void ClientSession::Impl::fail(const Error& error) {
  if (!finished_) {
    finished_ = true;
    finish_reason_ = error;
  }
  going_away_ = true;
  const Code code = error.code() == Code::kCancelled ? Code::kCancelled : Code::kUnavailable;
  for (auto& [stream, owner] : streams_) {
    stream->h2_open = false;
    if (!stream->ended) end(*stream, {code, error.message()});
  }
  schedule_events();
}

// --- The connection.

void ClientSession::Impl::on_settings() {
  if (ready_) return;
  ready_ = true;
  if (attached()) handler_.on_ready();
}

void ClientSession::Impl::on_goaway_received(uint32_t h2_error, std::string_view debug_data) {
  const bool first = !going_away_;
  going_away_ = true;
  std::string what = "the server is going away (" + h2_error_name(h2_error);
  if (!debug_data.empty()) what += ", " + sanitize_utf8(debug_data.substr(0, 200));
  finish_reason_ = Error(Code::kUnavailable, what + ")");
  // Waiting calls will never start.
  for (auto& [stream, owner] : streams_) {
    if (!stream->headers_sent && !stream->ended) {
      end_and_reset(*stream, {Code::kUnavailable, "the call was not sent: " + finish_reason_.message()},
                    H2Error::kCancel);
    }
  }
  if (first && attached()) handler_.on_goaway({h2_error, std::string(debug_data)});
}

void ClientSession::Impl::on_control_frame(ControlFrame frame) {
  RateBudget& budget = frame == ControlFrame::kWindow ? windows_ : controls_;
  if (!budget.take(timers_.clock().mono_ns())) stop_reading("too_many_control_frames");
}

void ClientSession::Impl::on_flood(std::string_view why) {
  const std::shared_ptr<Session> keep = shared_from_this();
  flooded_ = true;
  terminate(H2Error::kEnhanceYourCalm, why);
  fail(Error(Code::kUnavailable, "the server floods: " + std::string(why)));
}

void ClientSession::Impl::on_goaway_sent(const Error& error) {
  if (flooded_) return;  // reported already
  going_away_ = true;
  finish_reason_ = Error(Code::kUnavailable, "the server broke HTTP/2: " + error.message());
}

void ClientSession::Impl::on_broken(const Error& error) {
  const std::shared_ptr<Session> keep = shared_from_this();
  fail(error.with_context("HTTP/2"));
}

void ClientSession::Impl::drain() {
  if (going_away_) return;
  going_away_ = true;
  finish_reason_ = Error(Code::kUnavailable, "the client closed the connection");
  submit_goaway(H2Error::kNoError, "");
  schedule_events();
}

// --- Deferred events.

void ClientSession::Impl::deliver_writable(SessionStream& base) {
  auto& stream = static_cast<Stream&>(base);
  if (!stream.ended && stream.handler != nullptr) stream.handler->on_writable();
}

void ClientSession::Impl::deliver_events() {
  while (attached() && !ended_.empty()) {
    Stream* stream = ended_.front();
    ended_.erase(ended_.begin());
    stream->done_delivered = true;
    ClientCallHandler* const handler = std::exchange(stream->handler, nullptr);
    if (handler != nullptr) handler->on_done(stream->final_status, stream->metadata);
    if (attached() && !stream->h2_open) erase(*stream);
  }
}

void ClientSession::Impl::end_calls() {
  if (finished_) return;  // by fail()
  fail(finish_reason_);
  deliver_events();
}

void ClientSession::Impl::erase(Stream& stream) {
  if (stream.handle != nullptr) stream.handle->orphan();
  forget_writable(stream);
  forget(stream);
  streams_.erase(&stream);
}

// --- Public interface.

ClientSession::ClientSession(Timers& timers, const ClientSessionOptions& options, ClientSessionHandler& handler)
    : impl_(std::make_shared<Impl>(timers, options, handler)) {}
ClientSession::~ClientSession() { impl_->detach(); }

void ClientSession::receive(std::string_view bytes) { impl_->receive(bytes); }
std::string_view ClientSession::pending_output() { return impl_->pending_output(); }
void ClientSession::consume_output(size_t bytes) { impl_->consume_output(bytes); }
void ClientSession::connection_lost(const Error& error) { impl_->fail(error); }
bool ClientSession::finished() const { return impl_->finished(); }
std::unique_ptr<ClientCall> ClientSession::start(std::string_view path, const CallOptions& options,
                                                 ClientCallHandler& handler) {
  return impl_->start(path, options, handler);
}
bool ClientSession::accepts_calls() const { return impl_->accepts_calls(); }
size_t ClientSession::active_calls() const { return impl_->active_calls(); }
void ClientSession::drain() { impl_->drain(); }

}  // namespace monitor::grpc

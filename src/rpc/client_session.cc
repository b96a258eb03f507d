#include "rpc/client_session.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "rpc/http2.h"
#include "rpc/wire.h"

namespace monitor::rpc {
namespace {
constexpr int64_t kMinKeepaliveInterval = 10 * kNanosPerSecond;
// HTTP/2 counts this much more than its name and value for each header.
constexpr size_t kHeaderOverhead = 32;

Http2Options http2_options(const ClientSessionOptions& options) {
  Http2Options out;
  out.stream_window_bytes = options.stream_window_bytes;
  out.connection_window_bytes = options.connection_window_bytes;
  out.max_header_list_bytes = options.max_header_list_bytes;
  if (options.keepalive_interval_ns > 0) {
    out.keepalive_interval_ns = std::max(options.keepalive_interval_ns, kMinKeepaliveInterval);
    out.keepalive_timeout_ns = options.keepalive_timeout_ns;
  }
  return out;
}
}  // namespace

class ClientSession::Impl final : public Http2, public std::enable_shared_from_this<Impl> {
 public:
  Impl(Timers& timers, const ClientSessionOptions& options, ClientSessionHandler& handler)
      : Http2(timers, http2_options(options)), timers_(timers), options_(options), handler_(&handler) {}
  ~Impl() override;

  void receive(std::string_view bytes);
  std::string_view pending_output();
  void consume_output(size_t bytes);
  void fail(const Error& error);
  bool finished() const { return finished_; }
  std::unique_ptr<ClientCall> start(std::string_view path, const CallOptions& options, ClientCallHandler& handler);
  bool accepts_calls() const { return !finished_ && !going_away_; }
  size_t active_calls() const { return active_; }
  void drain();
  void detach();

 private:
  class Handle;
  struct Stream;

  // --- Events of Http2.
  void on_want_output() override;
  void on_header(Http2Stream& stream, std::string_view name, std::string_view value) override;
  void on_header_block(Http2Stream& stream, bool end_stream) override;
  void on_data(Http2Stream& stream, std::string_view bytes) override;
  void on_remote_end(Http2Stream& stream) override;
  void on_stream_closed(Http2Stream& stream, uint32_t h2_error) override;
  void on_data_sent(Http2Stream& stream, size_t bytes) override;
  void on_settings() override;
  void on_goaway_received(uint32_t h2_error, std::string_view debug_data) override;
  void on_goaway_sent(const Error& error) override;
  void on_broken(const Error& error) override;
  bool keepalive_needed() const override { return active_ > 0; }

  // --- Of a call.
  void submit(Stream& stream, std::string_view path, const CallOptions& options);
  void end(Stream& stream, CallStatus status);
  void end_and_reset(Stream& stream, CallStatus status, H2Error code);
  void handle_release(Stream& stream);
  void deadline_passed(Stream& stream);
  CallStatus status_of_trailers(const Stream& stream) const;
  CallStatus status_of_close(const Stream& stream, uint32_t h2_error) const;
  void first_headers(Stream& stream);
  void deliver_messages(Stream& stream, std::string_view bytes);

  // --- Of the session.
  void schedule_events();
  void run_events();
  void erase(Stream& stream);

  Timers& timers_;
  ClientSessionOptions options_;
  ClientSessionHandler* handler_;
  // Owned here until both HTTP/2 and the events are done with them.
  std::unordered_map<Stream*, std::unique_ptr<Stream>> streams_;
  std::vector<Stream*> ended_;     // on_done is due
  std::vector<Stream*> writable_;  // on_writable is due
  Timers::TimerId events_timer_ = 0;
  size_t active_ = 0;
  bool in_receive_ = false;
  bool ready_ = false;
  bool going_away_ = false;
  bool finished_ = false;
  bool finish_told_ = false;
  Error finish_reason_{Code::kUnavailable, "connection closed"};
};

struct ClientSession::Impl::Stream final : Http2Stream {
  Stream(const CallOptions& options, uint32_t window_bytes)
      : deframer(options.max_message_bytes),
        window(window_bytes, options.manual_flow_control),
        low_water(options.low_water_bytes),
        deadline_text(options.timeout_ns) {}

  Handle* handle = nullptr;
  ClientCallHandler* handler = nullptr;
  Deframer deframer;
  ReceiveWindow window;
  size_t low_water;
  int64_t deadline_text;  // the timeout, for the message
  Timers::TimerId deadline_timer = 0;

  bool h2_open = false;  // nghttp2 knows it, and will tell its close
  bool have_headers = false;
  bool headers_too_large = false;
  bool bad_metadata = false;
  bool above_low_water = false;
  bool writable_queued = false;
  bool ended = false;  // final_status is set
  bool told = false;   // on_done was called, or nobody wants it
  int http_status = 0;
  size_t header_bytes = 0;
  std::string content_type;
  std::string encoding;
  std::optional<std::string> grpc_status;
  std::string grpc_message;
  Metadata metadata;  // of the block that is arriving, then the trailers
  CallStatus final_status;
};

// What the user holds. Session and handle point at one another; whichever goes first clears the other's pointer.
class ClientSession::Impl::Handle final : public ClientCall {
 public:
  Handle(Impl& session, Stream& stream) : session_(&session), stream_(&stream) { stream.handle = this; }
  ~Handle() override {
    if (stream_ != nullptr) session_->handle_release(*stream_);
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

ClientSession::Impl::~Impl() {
  timers_.cancel_timer(events_timer_);
  for (auto& [stream, owner] : streams_) {
    timers_.cancel_timer(stream->deadline_timer);
    if (stream->handle != nullptr) stream->handle->orphan();
  }
}

void ClientSession::Impl::detach() {
  handler_ = nullptr;
  abort();
  timers_.cancel_timer(events_timer_);
  for (auto& [stream, owner] : streams_) {
    timers_.cancel_timer(stream->deadline_timer);
    stream->deadline_timer = 0;
    stream->handler = nullptr;
    if (stream->handle != nullptr) stream->handle->orphan();
    stream->handle = nullptr;
  }
}

// --- Bytes.

void ClientSession::Impl::receive(std::string_view bytes) {
  if (finished_) return;
  in_receive_ = true;
  const Status fed = feed(bytes);
  in_receive_ = false;
  if (handler_ == nullptr) return;
  if (!fed.ok()) fail(fed.error().with_context("HTTP/2"));
  run_events();
}

std::string_view ClientSession::Impl::pending_output() {
  const std::string_view bytes = output();
  // What ended while its frames were prepared.
  if (!ended_.empty() || (!finish_told_ && done())) schedule_events();
  return bytes;
}

void ClientSession::Impl::consume_output(size_t bytes) {
  output_sent(bytes);
  run_events();
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

// --- Starting a call.

std::unique_ptr<ClientCall> ClientSession::Impl::start(std::string_view path, const CallOptions& options,
                                                       ClientCallHandler& handler) {
  auto owner = std::make_unique<Stream>(options, options_.stream_window_bytes);
  Stream& stream = *owner;
  stream.handler = &handler;
  streams_.emplace(&stream, std::move(owner));
  ++active_;
  auto handle = std::make_unique<Handle>(*this, stream);
  if (!accepts_calls()) {
    end(stream, {Code::kUnavailable, "the call was not sent: " + finish_reason_.message()});
    return handle;
  }
  if (const Status good = check_metadata(options.metadata); !good.ok()) {
    end(stream, {good.error().code(), good.error().message()});
    return handle;
  }
  submit(stream, path, options);
  if (options.timeout_ns > 0 && !stream.ended) {
    stream.deadline_timer = timers_.call_after(options.timeout_ns, [this, &stream] { deadline_passed(stream); });
  }
  return handle;
}

void ClientSession::Impl::submit(Stream& stream, std::string_view path, const CallOptions& options) {
  const std::string timeout = options.timeout_ns > 0 ? encode_timeout(options.timeout_ns) : "";
  std::vector<HeaderField> headers = {{":method", "POST"},
                                      {":scheme", options_.secure ? "https" : "http"},
                                      {":path", path},
                                      {":authority", options_.authority},
                                      {"te", "trailers"},
                                      {"content-type", "application/grpc"},
                                      {"user-agent", options_.user_agent},
                                      {"grpc-accept-encoding", "identity"}};
  if (!timeout.empty()) headers.push_back({"grpc-timeout", timeout});
  std::vector<std::string> encoded;
  encoded.reserve(options.metadata.size());
  for (const auto& [key, value] : options.metadata) {
    encoded.push_back(is_binary_key(key) ? base64_encode(value) : value);
    headers.push_back({key, encoded.back()});
  }
  const Result<int32_t> id = submit_request(headers, stream);
  if (!id.ok()) {
    end(stream, {Code::kUnavailable, "the call was not sent: " + id.error().message()});
    return;
  }
  stream.h2_open = true;
}

// --- The end of a call.

void ClientSession::Impl::end(Stream& stream, CallStatus status) {
  if (stream.ended) return;
  stream.ended = true;
  --active_;
  timers_.cancel_timer(stream.deadline_timer);
  stream.deadline_timer = 0;
  stream.final_status = std::move(status);
  stream.send.clear();
  ended_.push_back(&stream);
  schedule_events();
}

void ClientSession::Impl::end_and_reset(Stream& stream, CallStatus status, H2Error code) {
  end(stream, std::move(status));
  if (stream.h2_open) reset_stream(stream, code);
}

// The user has destroyed the call.
void ClientSession::Impl::handle_release(Stream& stream) {
  stream.handle = nullptr;
  stream.handler = nullptr;
  if (!stream.ended) {
    end_and_reset(stream, {Code::kCancelled, ""}, H2Error::kCancel);
  }
}

void ClientSession::Impl::deadline_passed(Stream& stream) {
  stream.deadline_timer = 0;
  const std::string after = std::to_string(stream.deadline_text / kNanosPerMilli) + " ms";
  end_and_reset(stream, {Code::kDeadlineExceeded, "deadline exceeded after " + after}, H2Error::kCancel);
}

// --- What arrives.

void ClientSession::Impl::on_header(Http2Stream& base, std::string_view name, std::string_view value) {
  auto& stream = static_cast<Stream&>(base);
  if (stream.ended) return;
  stream.header_bytes += name.size() + value.size() + kHeaderOverhead;
  if (stream.header_bytes > options_.max_header_list_bytes) {
    stream.headers_too_large = true;
    return;
  }
  if (name == ":status") {
    stream.http_status = static_cast<int>(parse_u64(value).value_or(0));
  } else if (name == "content-type") {
    stream.content_type = value;
  } else if (name == "grpc-encoding") {
    stream.encoding = value;
  } else if (name == "grpc-status") {
    stream.grpc_status = std::string(value);
  } else if (name == "grpc-message") {
    stream.grpc_message = percent_decode(value);
  } else if (name == "grpc-status-details-bin" || !is_reserved_header(name)) {
    stream.bad_metadata |= !append_metadata(stream.metadata, name, value);
  }
}

void ClientSession::Impl::on_header_block(Http2Stream& base, bool end_stream) {
  auto& stream = static_cast<Stream&>(base);
  if (stream.ended) return;
  stream.header_bytes = 0;
  if (stream.headers_too_large) {
    const std::string limit = std::to_string(options_.max_header_list_bytes);
    end_and_reset(stream, {Code::kResourceExhausted, "headers of the response exceed " + limit + " bytes"},
                  H2Error::kCancel);
    return;
  }
  if (stream.bad_metadata) {
    end_and_reset(stream, {Code::kInternal, "a -bin header of the response is not base64"}, H2Error::kCancel);
    return;
  }
  if (stream.http_status >= 100 && stream.http_status < 200) {
    stream.metadata.clear();
    return;
  }
  // The end of the stream is handled by on_remote_end().
  if (!stream.have_headers) first_headers(stream);
  if (!end_stream && !stream.ended) stream.metadata.clear();
}

void ClientSession::Impl::first_headers(Stream& stream) {
  stream.have_headers = true;
  const bool answer_is_grpc = is_grpc_content_type(stream.content_type);
  if (stream.remote_closed && (answer_is_grpc || stream.grpc_status)) return;  // trailers-only
  if (stream.http_status != 200 || !answer_is_grpc) {
    const std::string what = "HTTP status " + std::to_string(stream.http_status) + ", content-type " +
                             json_quote(sanitize_utf8(stream.content_type.substr(0, 100)));
    end_and_reset(stream, {code_of_http_status(stream.http_status), "the answer is not gRPC: " + what},
                  H2Error::kCancel);
    return;
  }
  if (!stream.encoding.empty() && stream.encoding != "identity") {
    end_and_reset(stream,
                  {Code::kInternal, "the server compresses with " + json_quote(sanitize_utf8(stream.encoding)) +
                                        ", which was not offered"},
                  H2Error::kCancel);
    return;
  }
  if (stream.handler != nullptr) stream.handler->on_headers(stream.metadata);
}

void ClientSession::Impl::on_data(Http2Stream& base, std::string_view bytes) {
  auto& stream = static_cast<Stream&>(base);
  if (stream.ended) return;
  if (!stream.have_headers) {
    end_and_reset(stream, {Code::kInternal, "data before headers"}, H2Error::kCancel);
    return;
  }
  deliver_messages(stream, bytes);
}

void ClientSession::Impl::deliver_messages(Stream& stream, std::string_view bytes) {
  while (!stream.ended && handler_ != nullptr) {
    const size_t before = bytes.size();
    const Deframer::Next next = stream.deframer.next(bytes);
    give_back(stream,
              stream.window.received(before - bytes.size(), stream.deframer.body_taken(), stream.deframer.length()));
    switch (next) {
      case Deframer::Next::kNeedMore:
        return;
      case Deframer::Next::kMessage:
        stream.window.delivered(stream.deframer.message().size());
        if (stream.handler != nullptr) stream.handler->on_message(stream.deframer.message());
        break;
      case Deframer::Next::kTooLong:
        end_and_reset(stream,
                      {Code::kResourceExhausted,
                       "received message of " + std::to_string(stream.deframer.length()) + " bytes exceeds the limit"},
                      H2Error::kCancel);
        break;
      case Deframer::Next::kCompressed:
        end_and_reset(stream, {Code::kInternal, "a message is marked as compressed, without an agreed encoding"},
                      H2Error::kCancel);
        break;
    }
  }
}

void ClientSession::Impl::on_remote_end(Http2Stream& base) {
  auto& stream = static_cast<Stream&>(base);
  if (!stream.ended) end(stream, status_of_trailers(stream));
  // The answer is complete: what we have not sent does not matter any more.
  if (!stream.local_closed) reset_stream(stream, H2Error::kNoError);
}

CallStatus ClientSession::Impl::status_of_trailers(const Stream& stream) const {
  if (!stream.grpc_status) {
    if (stream.http_status != 200) {
      return {code_of_http_status(stream.http_status), "HTTP status " + std::to_string(stream.http_status)};
    }
    return {stream.metadata.empty() ? Code::kInternal : Code::kUnknown, "the server ended the call without a status"};
  }
  CallStatus status{parse_status_code(*stream.grpc_status), stream.grpc_message};
  if (status.ok() && !stream.deframer.between_messages()) {
    return {Code::kInternal, "the server ended the call inside a message"};
  }
  return status;
}

CallStatus ClientSession::Impl::status_of_close(const Stream& stream, uint32_t h2_error) const {
  if (!stream.headers_sent) return {Code::kUnavailable, "the call was not sent: " + finish_reason_.message()};
  if (h2_error == static_cast<uint32_t>(H2Error::kRefusedStream)) {
    return {Code::kUnavailable, "refused by the server, which never processed it"};
  }
  if (stream.http_status != 0 && stream.http_status != 200) {
    return {code_of_http_status(stream.http_status), "HTTP status " + std::to_string(stream.http_status)};
  }
  return {code_of_h2_error(h2_error), "the server reset the call: " + h2_error_name(h2_error)};
}

void ClientSession::Impl::on_stream_closed(Http2Stream& base, uint32_t h2_error) {
  auto& stream = static_cast<Stream&>(base);
  stream.h2_open = false;
  if (!stream.ended) {
    end(stream, status_of_close(stream, h2_error));
  } else if (stream.told) {
    erase(stream);
  }
}

void ClientSession::Impl::on_data_sent(Http2Stream& base, size_t /*bytes*/) {
  auto& stream = static_cast<Stream&>(base);
  if (!stream.above_low_water || stream.writable_queued || stream.send.size() > stream.low_water) return;
  stream.above_low_water = false;
  stream.writable_queued = true;
  writable_.push_back(&stream);
}

// --- The connection.

void ClientSession::Impl::on_want_output() {
  if (handler_ != nullptr) handler_->on_output_wanted();
}

void ClientSession::Impl::on_settings() {
  if (ready_) return;
  ready_ = true;
  if (handler_ != nullptr) handler_->on_ready();
}

void ClientSession::Impl::on_goaway_received(uint32_t h2_error, std::string_view debug_data) {
  const bool first = !going_away_;
  going_away_ = true;
  std::string what = "the server is going away (" + h2_error_name(h2_error);
  if (!debug_data.empty()) what += ", " + sanitize_utf8(debug_data.substr(0, 200));
  finish_reason_ = Error(Code::kUnavailable, what + ")");
  if (first && handler_ != nullptr) handler_->on_goaway({h2_error, std::string(debug_data)});
}

void ClientSession::Impl::on_goaway_sent(const Error& error) {
  going_away_ = true;
  finish_reason_ = Error(Code::kUnavailable, "the server broke HTTP/2: " + error.message());
}

void ClientSession::Impl::on_broken(const Error& error) {
  const std::shared_ptr<Impl> keep = shared_from_this();
  fail(error.with_context("HTTP/2"));
}

void ClientSession::Impl::drain() {
  if (going_away_) return;
  going_away_ = true;
  finish_reason_ = Error(Code::kUnavailable, "the client closed the connection");
  submit_goaway(H2Error::kNoError, "");
  schedule_events();
}

// --- Events that wait for a safe moment.

void ClientSession::Impl::schedule_events() {
  if (in_receive_ || events_timer_ != 0 || handler_ == nullptr) return;
  events_timer_ = timers_.call_after(0, [this] {
    events_timer_ = 0;
    run_events();
  });
}

void ClientSession::Impl::run_events() {
  const std::shared_ptr<Impl> keep = shared_from_this();
  timers_.cancel_timer(events_timer_);
  events_timer_ = 0;
  if (!finished_ && done() && output_bytes() == 0) fail(finish_reason_);
  while (handler_ != nullptr && !writable_.empty()) {
    Stream* stream = writable_.back();
    writable_.pop_back();
    stream->writable_queued = false;
    if (!stream->ended && stream->handler != nullptr) stream->handler->on_writable();
  }
  while (handler_ != nullptr && !ended_.empty()) {
    Stream* stream = ended_.front();
    ended_.erase(ended_.begin());
    stream->told = true;
    ClientCallHandler* const handler = std::exchange(stream->handler, nullptr);
    if (handler != nullptr) handler->on_done(stream->final_status, stream->metadata);
    if (handler_ != nullptr && !stream->h2_open) erase(*stream);
  }
  if (handler_ == nullptr || finish_told_ || !finished_) return;
  finish_told_ = true;
  handler_->on_finished(finish_reason_);
}

void ClientSession::Impl::erase(Stream& stream) {
  if (stream.handle != nullptr) stream.handle->orphan();
  if (stream.writable_queued) std::erase(writable_, &stream);
  forget(stream);
  streams_.erase(&stream);
}

// --- The public face.

ClientSession::ClientSession(Timers& timers, const ClientSessionOptions& options, ClientSessionHandler& handler)
    : impl_(std::make_shared<Impl>(timers, options, handler)) {}
ClientSession::~ClientSession() { impl_->detach(); }

void ClientSession::receive(std::string_view bytes) {
  const std::shared_ptr<Impl> keep = impl_;
  keep->receive(bytes);
}
std::string_view ClientSession::pending_output() { return impl_->pending_output(); }
void ClientSession::consume_output(size_t bytes) {
  const std::shared_ptr<Impl> keep = impl_;
  keep->consume_output(bytes);
}
void ClientSession::connection_lost(const Error& error) { impl_->fail(error); }
bool ClientSession::finished() const { return impl_->finished(); }
std::unique_ptr<ClientCall> ClientSession::start(std::string_view path, const CallOptions& options,
                                                 ClientCallHandler& handler) {
  return impl_->start(path, options, handler);
}
bool ClientSession::accepts_calls() const { return impl_->accepts_calls(); }
size_t ClientSession::active_calls() const { return impl_->active_calls(); }
void ClientSession::drain() { impl_->drain(); }

}  // namespace monitor::rpc

#include "rpc/server_session.h"

#include <algorithm>
#include <climits>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "rpc/http2.h"
#include "rpc/rate_budget.h"
#include "rpc/wire.h"

namespace monitor::rpc {
namespace {
constexpr size_t kHeaderOverhead = 32;  // HTTP/2 counts this much more for each header
constexpr int64_t kDrainRoundTrip = kNanosPerSecond;
constexpr size_t kMaxStatusMessage = 4096;

Http2Options http2_options(const ServerLimits& limits) {
  Http2Options out;
  out.server = true;
  out.max_concurrent_streams = limits.max_concurrent_streams;
  out.stream_window_bytes = limits.stream_window_bytes;
  out.connection_window_bytes = limits.connection_window_bytes;
  out.max_header_list_bytes = limits.max_header_list_bytes;
  out.keepalive_interval_ns = limits.keepalive_interval_ns;
  out.keepalive_timeout_ns = limits.keepalive_timeout_ns;
  return out;
}

// grpc-status, grpc-message and the user's trailers; with HTTP's part, if there were no headers before.
class StatusFields {
 public:
  StatusFields(const CallStatus& status, const Metadata& trailers, bool alone) {
    if (alone) {
      fields_ = {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-accept-encoding", "identity"}};
    }
    texts_.reserve(trailers.size() + 2);
    add("grpc-status", std::to_string(static_cast<int>(status.code)));
    if (!status.message.empty()) add("grpc-message", percent_encode(status.message));
    for (const auto& [key, value] : trailers) add(key, is_binary_key(key) ? base64_encode(value) : value);
  }
  std::span<const HeaderField> get() const { return fields_; }

 private:
  void add(std::string_view name, std::string value) {
    texts_.push_back(std::move(value));
    fields_.push_back({name, texts_.back()});
  }
  std::vector<HeaderField> fields_;
  std::vector<std::string> texts_;
};
}  // namespace

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
  void on_goaway_sent(const Error& error) override;
  void on_broken(const Error& error) override { fail(error.with_context("HTTP/2")); }
  bool keepalive_needed() const override { return true; }

  // --- Of a call.
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

  // --- Of the session.
  void flood(const std::string& what);
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
  std::vector<std::unique_ptr<Stream>> closed_;  // to be destroyed at a safe moment
  std::vector<std::unique_ptr<ServerCallHandler>> over_;
  std::vector<Stream*> writable_;

  RateBudget resets_;
  RateBudget controls_;
  int64_t last_ping_ns_ = 0;
  int ping_strikes_ = 0;

  Timers::TimerId handshake_timer_ = 0;
  Timers::TimerId age_timer_ = 0;
  Timers::TimerId idle_timer_ = 0;
  Timers::TimerId drain_timer_ = 0;
  Timers::TimerId events_timer_ = 0;
  int64_t idle_since_ns_ = 0;
  size_t active_ = 0;
  size_t partial_bytes_ = 0;
  size_t unsent_bytes_ = 0;
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
    if (!over()) session.give_back(*this, window.consumed(bytes));
  }
  bool over() const { return finished || gone; }

  Impl& session;
  const MethodTable::Method* method = nullptr;
  std::unique_ptr<ServerCallHandler> handler;
  Deframer deframer;
  ReceiveWindow window;
  int64_t deadline = INT64_MAX;
  Timers::TimerId deadline_timer = 0;

  bool dispatched = false;
  bool headers_too_large = false;
  bool bad_metadata = false;
  bool bad_timeout = false;
  bool headers_submitted = false;
  bool finished = false;  // finish() was called
  bool gone = false;      // nothing can be sent any more
  bool counted = false;   // in active_
  bool above_low_water = false;
  bool writable_queued = false;
  size_t header_bytes = 0;
  size_t partial = 0;  // its part of partial_bytes_
  std::string request_path;
  std::string request_method;
  std::string content_type;
  std::string encoding;
  std::optional<int64_t> timeout;
  Metadata request_metadata;
  CallStatus final_status;
  Metadata trailers;
};

ServerSession::Impl::Impl(Timers& timers, const ServerLimits& limits, const MethodTable& methods, PeerInfo peer,
                          ServerSessionHandler& handler)
    : Http2(timers, http2_options(limits)),
      timers_(timers),
      limits_(limits),
      methods_(methods),
      peer_(std::move(peer)),
      handler_(&handler),
      resets_(limits.reset_burst, limits.resets_per_second),
      controls_(limits.control_burst, limits.controls_per_second) {
  if (limits_.handshake_timeout_ns > 0) {
    handshake_timer_ = timers_.call_after(limits_.handshake_timeout_ns, [this] {
      handshake_timer_ = 0;
      fail(Error(Code::kUnavailable, "the client sent no SETTINGS in time"));
    });
  }
  if (limits_.max_age_ns > 0) {
    age_timer_ = timers_.call_after(limits_.max_age_ns, [this] {
      drain();
      age_timer_ = limits_.max_age_grace_ns == 0 ? 0 : timers_.call_after(limits_.max_age_grace_ns, [this] {
        age_timer_ = 0;
        close(Error(Code::kUnavailable, "the connection's age limit and grace have passed"));
      });
    });
  }
  idle_since_ns_ = timers_.clock().mono_ns();
  arm_idle();
}

ServerSession::Impl::~Impl() {
  for (const Timers::TimerId timer : {handshake_timer_, age_timer_, idle_timer_, drain_timer_, events_timer_}) {
    timers_.cancel_timer(timer);
  }
  for (auto& [stream, owner] : streams_) timers_.cancel_timer(stream->deadline_timer);
  // Handlers may look at their calls while they are destroyed: these go after all of them.
  for (auto& [stream, owner] : streams_) {
    stream->gone = true;
    stream->handler.reset();
  }
}

void ServerSession::Impl::detach() {
  handler_ = nullptr;
  abort();
  for (Timers::TimerId* timer : {&handshake_timer_, &age_timer_, &idle_timer_, &drain_timer_, &events_timer_}) {
    timers_.cancel_timer(std::exchange(*timer, 0));
  }
  for (auto& [stream, owner] : streams_) {
    timers_.cancel_timer(std::exchange(stream->deadline_timer, 0));
    stream->gone = true;
  }
}

// --- Bytes.

void ServerSession::Impl::receive(std::string_view bytes) {
  if (finished_) return;
  in_receive_ = true;
  const Status fed = feed(bytes);
  in_receive_ = false;
  if (handler_ == nullptr) return;
  if (!fed.ok()) fail(fed.error().with_context("HTTP/2"));
  run_events();
}

std::string_view ServerSession::Impl::pending_output() {
  const std::string_view bytes = output();
  if (!closed_.empty() || !over_.empty() || finished_ || done()) schedule_events();
  return bytes;
}

void ServerSession::Impl::consume_output(size_t bytes) {
  output_sent(bytes);
  run_events();
}

void ServerSession::Impl::fail(const Error& error) {
  if (finished_ || handler_ == nullptr) return;
  const std::shared_ptr<Impl> keep = shared_from_this();
  finished_ = true;
  finish_reason_ = error;
  schedule_events();
}

// --- A request arrives.

Http2Stream* ServerSession::Impl::on_begin_stream(int32_t id) {
  auto owner = std::make_unique<Stream>(*this, limits_.stream_window_bytes);
  Stream* stream = owner.get();
  stream->id = id;
  streams_.emplace(stream, std::move(owner));
  return stream;
}

void ServerSession::Impl::on_header(Http2Stream& base, std::string_view name, std::string_view value) {
  auto& stream = static_cast<Stream&>(base);
  if (stream.dispatched) return;  // trailers of a request mean nothing to gRPC
  stream.header_bytes += name.size() + value.size() + kHeaderOverhead;
  if (stream.header_bytes > limits_.max_header_list_bytes) {
    stream.headers_too_large = true;
    return;
  }
  request_header(stream, name, value);
}

void ServerSession::Impl::request_header(Stream& stream, std::string_view name, std::string_view value) {
  if (name == ":path") {
    stream.request_path = value;
  } else if (name == ":method") {
    stream.request_method = value;
  } else if (name == "content-type") {
    stream.content_type = value;
  } else if (name == "grpc-encoding") {
    stream.encoding = value;
  } else if (name == "grpc-timeout") {
    stream.timeout = parse_timeout(value);
    stream.bad_timeout = !stream.timeout;
  } else if (name == "user-agent" || !is_reserved_header(name)) {
    stream.bad_metadata |= !append_metadata(stream.request_metadata, name, value);
  }
}

void ServerSession::Impl::on_header_block(Http2Stream& base, bool /*end_stream*/) {
  auto& stream = static_cast<Stream&>(base);
  if (stream.dispatched) return;
  stream.dispatched = true;
  stream.counted = true;
  ++active_;
  if (!stream.headers_too_large && stream.request_method != "POST") return answer_http_status(stream, "405");
  if (!stream.headers_too_large && !is_grpc_content_type(stream.content_type)) {
    return answer_http_status(stream, "415");
  }
  if (const std::optional<CallStatus> no = refusal(stream)) {
    finish(stream, *no, {});
    return;
  }
  dispatch(stream);
}

std::optional<CallStatus> ServerSession::Impl::refusal(const Stream& stream) const {
  if (stream.headers_too_large) {
    const std::string limit = std::to_string(limits_.max_header_list_bytes);
    return CallStatus{Code::kResourceExhausted, "headers of the request exceed " + limit + " bytes"};
  }
  if (stream.bad_metadata) return CallStatus{Code::kInternal, "a -bin header of the request is not base64"};
  if (stream.bad_timeout) return CallStatus{Code::kInternal, "grpc-timeout is malformed"};
  if (!stream.encoding.empty() && stream.encoding != "identity") {
    return CallStatus{Code::kUnimplemented,
                      "compression " + json_quote(sanitize_utf8(stream.encoding)) + " is not supported; use identity"};
  }
  if (methods_.find(stream.request_path) == nullptr) {
    return CallStatus{Code::kUnimplemented,
                      "unknown method " + json_quote(sanitize_utf8(stream.request_path.substr(0, 200)))};
  }
  return std::nullopt;
}

void ServerSession::Impl::dispatch(Stream& stream) {
  const MethodTable::Method* method = methods_.find(stream.request_path);
  const MethodOptions& options = method->options;
  stream.method = method;
  stream.deframer = Deframer(options.max_message_bytes != 0 ? options.max_message_bytes : limits_.max_message_bytes);
  stream.window = ReceiveWindow(limits_.stream_window_bytes, options.manual_flow_control);
  if (stream.timeout) {
    const int64_t now = timers_.clock().mono_ns();
    stream.deadline = *stream.timeout > INT64_MAX - now ? INT64_MAX : now + *stream.timeout;
    if (stream.deadline != INT64_MAX) {
      stream.deadline_timer = timers_.call_at(stream.deadline, [this, &stream] { deadline_passed(stream); });
    }
  }
  std::unique_ptr<ServerCallHandler> handler = method->factory(stream);
  if (handler != nullptr && stream.over()) {
    over_.push_back(std::move(handler));
    return;
  }
  stream.handler = std::move(handler);
  if (stream.handler == nullptr && !stream.over()) {
    finish(stream, {Code::kInternal, "the method refused the call without a status"}, {});
  }
}

void ServerSession::Impl::on_data(Http2Stream& base, std::string_view bytes) {
  auto& stream = static_cast<Stream&>(base);
  while (!stream.over() && stream.handler != nullptr) {
    const size_t before = bytes.size();
    const Deframer::Next next = stream.deframer.next(bytes);
    give_back(stream,
              stream.window.received(before - bytes.size(), stream.deframer.body_taken(), stream.deframer.length()));
    if (next == Deframer::Next::kMessage) {
      stream.window.delivered(stream.deframer.message().size());
      stream.handler->on_message(stream.deframer.message());
      continue;
    }
    partial_bytes_ += stream.deframer.partial_bytes() - stream.partial;
    stream.partial = stream.deframer.partial_bytes();
    if (next == Deframer::Next::kTooLong) {
      finish(stream,
             {Code::kResourceExhausted,
              "received message of " + std::to_string(stream.deframer.length()) + " bytes exceeds the limit"},
             {});
    } else if (next == Deframer::Next::kCompressed) {
      finish(stream, {Code::kInternal, "a message is marked as compressed, without an agreed encoding"}, {});
    } else if (partial_bytes_ > limits_.max_partial_bytes) {
      finish(stream, {Code::kResourceExhausted, "too many incomplete messages on this connection"}, {});
    }
    return;
  }
}

void ServerSession::Impl::on_remote_end(Http2Stream& base) {
  auto& stream = static_cast<Stream&>(base);
  if (stream.over() || stream.handler == nullptr) return;
  if (!stream.deframer.between_messages()) {
    finish(stream, {Code::kInternal, "the client ended its side inside a message"}, {});
    return;
  }
  stream.handler->on_half_close();
}

// --- The answer.

void ServerSession::Impl::answer_http_status(Stream& stream, std::string_view status) {
  stream.finished = true;
  stream.headers_submitted = true;
  const HeaderField fields[] = {{":status", status}};
  submit_headers(stream, fields, true);
  end_call(stream);
}

void ServerSession::Impl::ensure_headers(Stream& stream, const Metadata& headers) {
  if (stream.headers_submitted || stream.over()) return;
  stream.headers_submitted = true;
  std::vector<HeaderField> fields = {
      {":status", "200"}, {"content-type", "application/grpc"}, {"grpc-accept-encoding", "identity"}};
  std::vector<std::string> encoded;
  encoded.reserve(headers.size());
  if (check_metadata(headers).ok()) {
    for (const auto& [key, value] : headers) {
      encoded.push_back(is_binary_key(key) ? base64_encode(value) : value);
      fields.push_back({key, encoded.back()});
    }
  }
  submit_headers(stream, fields, false);
}

void ServerSession::Impl::finish(Stream& stream, const CallStatus& status, const Metadata& trailers) {
  if (stream.over()) return;
  stream.finished = true;
  stream.final_status = status;
  if (stream.final_status.message.size() > kMaxStatusMessage) stream.final_status.message.resize(kMaxStatusMessage);
  if (const Status good = check_metadata(trailers); good.ok()) stream.trailers = trailers;
  stream.send_ended = true;
  if (stream.headers_submitted) {
    resume(stream);
  } else {
    stream.headers_submitted = true;
    submit_headers(stream, StatusFields(stream.final_status, stream.trailers, true).get(), true);
  }
  end_call(stream);
}

// The handler's part is over; HTTP/2 may still be sending.
void ServerSession::Impl::end_call(Stream& stream) {
  if (stream.counted) {
    stream.counted = false;
    --active_;
    if (active_ == 0) idle_since_ns_ = timers_.clock().mono_ns();
  }
  partial_bytes_ -= std::exchange(stream.partial, 0);
  if (stream.handler != nullptr) over_.push_back(std::move(stream.handler));
  schedule_events();
}

bool ServerSession::Impl::on_end_of_data(Http2Stream& base) {
  auto& stream = static_cast<Stream&>(base);
  submit_trailers(stream, StatusFields(stream.final_status, stream.trailers, false).get());
  return true;
}

void ServerSession::Impl::on_end_sent(Http2Stream& stream) {
  // The rest of the request is of no use (RFC 9113, 8.1).
  if (!stream.remote_closed) reset_stream(stream, H2Error::kNoError);
}

void ServerSession::Impl::written(Stream& stream, size_t bytes) {
  stream.above_low_water |= stream.send.size() > stream.method->options.low_water_bytes;
  unsent_bytes_ += bytes;
  resume(stream);
  if (unsent_bytes_ <= limits_.max_unsent_bytes) return;
  const std::string limit = std::to_string(limits_.max_unsent_bytes);
  close(Error(Code::kResourceExhausted, "the client does not read: over " + limit + " bytes wait for it"));
}

void ServerSession::Impl::on_data_sent(Http2Stream& base, size_t bytes) {
  auto& stream = static_cast<Stream&>(base);
  unsent_bytes_ -= bytes;
  if (!stream.above_low_water || stream.writable_queued) return;
  if (stream.send.size() > stream.method->options.low_water_bytes) return;
  stream.above_low_water = false;
  stream.writable_queued = true;
  writable_.push_back(&stream);
}

// --- The end of a call that the handler did not finish.

void ServerSession::Impl::cancelled(Stream& stream) {
  if (stream.over()) return;
  stream.gone = true;
  ServerCallHandler* const handler = stream.handler.get();
  if (handler != nullptr) handler->on_cancelled();
  end_call(stream);
}

void ServerSession::Impl::deadline_passed(Stream& stream) {
  const std::shared_ptr<Impl> keep = shared_from_this();
  stream.deadline_timer = 0;
  unsent_bytes_ -= stream.send.size();
  stream.send.clear();
  if (stream.finished) {
    // Its answer could not be sent in time.
    reset_stream(stream, H2Error::kCancel);
    return;
  }
  // The client knows by its own clock; the status is for those that do not.
  std::unique_ptr<ServerCallHandler> handler = std::move(stream.handler);
  finish(stream, {Code::kDeadlineExceeded, "deadline exceeded"}, {});
  if (handler != nullptr) {
    handler->on_cancelled();
    over_.push_back(std::move(handler));
  }
}

void ServerSession::Impl::on_stream_closed(Http2Stream& base, uint32_t /*h2_error*/) {
  auto& stream = static_cast<Stream&>(base);
  timers_.cancel_timer(std::exchange(stream.deadline_timer, 0));
  unsent_bytes_ -= stream.send.size();
  stream.send.clear();
  cancelled(stream);
  stream.gone = true;
  const auto it = streams_.find(&stream);
  closed_.push_back(std::move(it->second));
  streams_.erase(it);
  schedule_events();
}

// --- The connection.

void ServerSession::Impl::on_want_output() {
  if (handler_ != nullptr) handler_->on_output_wanted();
}

void ServerSession::Impl::on_settings() {
  ready_ = true;
  timers_.cancel_timer(std::exchange(handshake_timer_, 0));
}

void ServerSession::Impl::on_goaway_received(uint32_t /*h2_error*/, std::string_view /*debug_data*/) {
  finish_reason_ = Error(Code::kUnavailable, "the client went away");
}

void ServerSession::Impl::on_control_frame(ControlFrame frame) {
  const int64_t now = timers_.clock().mono_ns();
  if (frame == ControlFrame::kReset) {
    if (!resets_.take(now)) flood("too_many_resets");
    return;
  }
  if (!controls_.take(now)) flood("too_many_control_frames");
  if (frame != ControlFrame::kPing || limits_.min_ping_interval_ns == 0) return;
  const bool too_soon = last_ping_ns_ != 0 && now - last_ping_ns_ < limits_.min_ping_interval_ns;
  last_ping_ns_ = now;
  if (too_soon && ++ping_strikes_ > limits_.max_ping_strikes) flood("too_many_pings");
}

void ServerSession::Impl::flood(const std::string& what) {
  if (final_goaway_sent_) return;
  final_goaway_sent_ = true;
  finish_reason_ = Error(Code::kResourceExhausted, what);
  terminate(H2Error::kEnhanceYourCalm, what);
}

void ServerSession::Impl::on_goaway_sent(const Error& error) {
  if (final_goaway_sent_) return;  // ours
  final_goaway_sent_ = true;
  finish_reason_ = error.with_context("the client broke HTTP/2");
}

void ServerSession::Impl::drain() {
  if (draining_ || finished_) return;
  draining_ = true;
  finish_reason_ = Error(Code::kUnavailable, "drained");
  // Calls that are on their way when the client learns of it are still taken.
  submit_shutdown_notice();
  submit_probe();
  drain_timer_ = timers_.call_after(kDrainRoundTrip, [this] {
    drain_timer_ = 0;
    final_goaway();
  });
}

void ServerSession::Impl::final_goaway() {
  timers_.cancel_timer(std::exchange(drain_timer_, 0));
  if (!draining_ || final_goaway_sent_) return;
  final_goaway_sent_ = true;
  submit_goaway(H2Error::kNoError, "");
}

void ServerSession::Impl::close(const Error& reason) {
  if (finished_) return;
  finish_reason_ = reason;
  final_goaway_sent_ = true;
  const H2Error code = reason.code() == Code::kResourceExhausted ? H2Error::kEnhanceYourCalm : H2Error::kNoError;
  terminate(code, reason.message());
  fail(reason);
}

void ServerSession::Impl::arm_idle() {
  if (limits_.idle_timeout_ns == 0) return;
  idle_timer_ = timers_.call_at(idle_since_ns_ + limits_.idle_timeout_ns, [this] { idle_due(); });
}

void ServerSession::Impl::idle_due() {
  idle_timer_ = 0;
  const int64_t now = timers_.clock().mono_ns();
  if (active_ > 0) idle_since_ns_ = now;
  if (active_ == 0 && now - idle_since_ns_ >= limits_.idle_timeout_ns) return drain();
  arm_idle();
}

// --- Events that wait for a safe moment.

void ServerSession::Impl::schedule_events() {
  if (in_receive_ || events_timer_ != 0 || handler_ == nullptr) return;
  events_timer_ = timers_.call_after(0, [this] {
    events_timer_ = 0;
    run_events();
  });
}

void ServerSession::Impl::run_events() {
  const std::shared_ptr<Impl> keep = shared_from_this();
  timers_.cancel_timer(std::exchange(events_timer_, 0));
  while (handler_ != nullptr && !writable_.empty()) {
    Stream* stream = writable_.back();
    writable_.pop_back();
    stream->writable_queued = false;
    if (!stream->over() && stream->handler != nullptr) stream->handler->on_writable();
  }
  erase_closed();
  if (handler_ == nullptr || finish_told_) return;
  if (!finished_ && !(done() && output_bytes() == 0)) return;
  finished_ = true;
  finish_told_ = true;
  std::vector<Stream*> running;
  for (auto& [stream, owner] : streams_) running.push_back(stream);
  for (Stream* stream : running) {
    if (handler_ != nullptr) cancelled(*stream);
  }
  erase_closed();
  if (handler_ != nullptr) handler_->on_finished(finish_reason_);
}

void ServerSession::Impl::erase_closed() {
  // Moved out first: destructors of handlers may call into this session.
  const std::vector<std::unique_ptr<Stream>> closed = std::move(closed_);
  std::vector<std::unique_ptr<ServerCallHandler>> over = std::move(over_);
  closed_.clear();
  over_.clear();
  for (const auto& stream : closed) {
    if (stream->writable_queued) std::erase(writable_, stream.get());
  }
  over.clear();
}

// --- The public face.

ServerSession::ServerSession(Timers& timers, const ServerLimits& limits, const MethodTable& methods, PeerInfo peer,
                             ServerSessionHandler& handler)
    : impl_(std::make_shared<Impl>(timers, limits, methods, std::move(peer), handler)) {}
ServerSession::~ServerSession() { impl_->detach(); }

void ServerSession::receive(std::string_view bytes) {
  const std::shared_ptr<Impl> keep = impl_;
  keep->receive(bytes);
}
std::string_view ServerSession::pending_output() { return impl_->pending_output(); }
void ServerSession::consume_output(size_t bytes) {
  const std::shared_ptr<Impl> keep = impl_;
  keep->consume_output(bytes);
}
void ServerSession::connection_lost(const Error& error) { impl_->fail(error); }
bool ServerSession::finished() const { return impl_->finished(); }
void ServerSession::set_peer_certificate(const PeerCertificate* certificate) {
  impl_->peer().certificate = certificate;
}
size_t ServerSession::active_calls() const { return impl_->active_calls(); }
void ServerSession::drain() { impl_->drain(); }
void ServerSession::close(const Error& reason) { impl_->close(reason); }

}  // namespace monitor::rpc

// ServerSession: its calls, from the request's headers to the status.
#include <algorithm>
#include <climits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/text.h"
#include "grpc/server_session_impl.h"

namespace monitor::grpc {
namespace {
constexpr size_t kMaxStatusMessage = 4096;

// Cuts at a character boundary: other gRPC libraries reject partial characters.
void cut_message(std::string& message) {
  if (message.size() <= kMaxStatusMessage) return;
  size_t end = kMaxStatusMessage;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0U) == 0x80U) --end;
  message.resize(end);
}

// grpc-status, grpc-message and the user's trailers, preceded by HTTP's headers if none were sent.
class StatusFields {
 public:
  StatusFields(const CallStatus& status, const Metadata& trailers, bool alone) {
    if (alone) {
      fields_ = {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-accept-encoding", "identity"}};
    }
    texts_.reserve(trailers.size() + 2);
    add("grpc-status", std::to_string(static_cast<int>(status.code)));
    if (!status.message.empty()) add("grpc-message", percent_encode(status.message));
    for (const auto& [key, value] : trailers) add(key, is_binary_key(key) ? base64_encode(value) : std::string(value));
  }
  std::span<const HeaderField> get() const { return fields_; }

 private:
  void add(std::string_view name, std::string&& value) {
    texts_.push_back(std::move(value));
    fields_.push_back({name, texts_.back()});
  }
  std::vector<HeaderField> fields_;
  std::vector<std::string> texts_;
};

}  // namespace

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
  // gRPC ignores trailers of a request.
  if (!stream.dispatched) stream.request_header(name, value);
}

void ServerSession::Impl::on_header_block(Http2Stream& base, bool /*end_stream*/) {
  auto& stream = static_cast<Stream&>(base);
  if (stream.dispatched) return;
  stream.dispatched = true;
  stream.counted = true;
  ++active_;
  if (ready_) timers_.cancel_timer(std::exchange(handshake_timer_, 0));
  stream.begin();
}

void ServerSession::Impl::Stream::request_header(std::string_view name, std::string_view value) {
  if (name == ":path") {
    request_path = value;
  } else if (name == ":method") {
    request_method = value;
  } else if (name == "content-type") {
    content_type = value;
  } else if (name == "grpc-encoding") {
    encoding = value;
  } else if (name == "grpc-timeout") {
    timeout = parse_timeout(value);
    bad_timeout = !timeout;
  } else if (name == "user-agent" || !is_reserved_header(name)) {
    bad_metadata |= !append_metadata(request_metadata, name, value);
  }
}

void ServerSession::Impl::Stream::begin() {
  if (!charge_headers()) return;
  if (request_method != "POST") return answer_http_status("405");
  if (!is_grpc_content_type(content_type)) return answer_http_status("415");
  if (const std::optional<CallStatus> no = refusal()) return finish(*no, {});
  dispatch();
}

std::optional<CallStatus> ServerSession::Impl::Stream::refusal() const {
  if (bad_metadata) return CallStatus{Code::kInternal, "a -bin header of the request is not base64"};
  if (bad_timeout) return CallStatus{Code::kInternal, "grpc-timeout is malformed"};
  if (!encoding.empty() && encoding != "identity") {
    return CallStatus{Code::kUnimplemented,
                      "compression " + json_quote(sanitize_utf8(encoding)) + " is not supported; use identity"};
  }
  if (session.methods_.find(request_path) == nullptr) {
    return CallStatus{Code::kUnimplemented, "unknown method " + json_quote(sanitize_utf8(request_path.substr(0, 200)))};
  }
  return std::nullopt;
}

void ServerSession::Impl::Stream::dispatch() {
  method = session.methods_.find(request_path);
  const MethodOptions& options = method->options;
  const ServerLimits& limits = session.limits_;
  const size_t most = options.max_message_bytes != 0 ? options.max_message_bytes : limits.max_message_bytes;
  deframer = Deframer(options.max_first_message_bytes != 0 ? options.max_first_message_bytes : most);
  window = ReceiveWindow(limits.stream_window_bytes, options.manual_flow_control);
  if (timeout) {
    const int64_t now = session.timers_.clock().mono_ns();
    deadline = *timeout > INT64_MAX - now ? INT64_MAX : now + *timeout;
    if (deadline != INT64_MAX) deadline_timer = session.timers_.call_at(deadline, [this] { deadline_passed(); });
  }
  std::unique_ptr<ServerCallHandler> made = method->factory(*this);
  if (made != nullptr && over()) {
    session.over_.push_back(std::move(made));
    return;
  }
  handler = std::move(made);
  if (handler == nullptr && !over()) {
    finish({Code::kInternal, "the method refused the call without a status"}, {});
  }
  if (!over()) watch_message();
  // The client sent the call before it knew.
  if (!over() && session.draining_) handler->on_draining();
}

void ServerSession::Impl::on_remote_end(Http2Stream& base) {
  auto& stream = static_cast<Stream&>(base);
  if (stream.over() || stream.handler == nullptr) return;
  if (!stream.deframer.between_messages()) {
    stream.finish({Code::kInternal, "the client ended its side inside a message"}, {});
    return;
  }
  stream.handler->on_half_close();
}

// --- The answer.

void ServerSession::Impl::Stream::answer_http_status(std::string_view status) {
  finished = true;
  headers_submitted = true;
  const HeaderField fields[] = {{":status", status}};
  session.submit_headers(*this, fields, true);
  end();
}

void ServerSession::Impl::Stream::send_headers(const Metadata& headers) {
  if (headers_submitted || over()) return;
  headers_submitted = true;
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
  session.submit_headers(*this, fields, false);
}

void ServerSession::Impl::Stream::write(std::string_view message) {
  if (over() || session.finished_) return;
  send_headers({});
  send.push_message(message);
  above_low_water |= send.size() > method->options.low_water_bytes;
  HeldMemory& held = session.held_;
  if (held.unsent == 0) session.stall_.touch();
  held.unsent += message.size() + kMessagePrefixBytes;
  session.resume(*this);
  session.stall_.start();
  if (held.unsent > session.limits_.max_unsent_bytes) {
    const std::string limit = std::to_string(session.limits_.max_unsent_bytes);
    return session.close(
        Error(Code::kResourceExhausted, "the client does not read: over " + limit + " bytes wait for it"));
  }
  if (held.charge()) return;
  session.close(Error(Code::kResourceExhausted, "the client does not read: " + std::to_string(held.unsent) +
                                                    " bytes wait for it, and the server's memory for such is full"));
}

void ServerSession::Impl::Stream::finish(const CallStatus& status, const Metadata& last) {
  if (over()) return;
  finished = true;
  final_status = status;
  cut_message(final_status.message);
  if (const Status good = check_metadata(last); good.ok()) trailers = last;
  send_ended = true;
  if (headers_submitted) {
    session.resume(*this);
  } else {
    headers_submitted = true;
    session.submit_headers(*this, StatusFields(final_status, trailers, true).get(), true);
  }
  end();
}

void ServerSession::Impl::Stream::consumed(size_t bytes) {
  if (over()) return;
  session.give_back(*this, window.consumed(bytes));
  // The time for a message runs while the client can send it.
  if (message_since_ns != 0 && window.unconfirmed() == 0) message_since_ns = session.timers_.clock().mono_ns();
}

bool ServerSession::Impl::on_end_of_data(Http2Stream& base) {
  auto& stream = static_cast<Stream&>(base);
  submit_trailers(stream, StatusFields(stream.final_status, stream.trailers, false).get());
  return true;
}

void ServerSession::Impl::on_end_sent(Http2Stream& stream) {
  // The rest of the request is not needed (RFC 9113, 8.1).
  if (!stream.remote_closed) reset_stream(stream, H2Error::kNoError);
}

void ServerSession::Impl::on_data_sent(Http2Stream& base, size_t bytes) {
  auto& stream = static_cast<Stream&>(base);
  held_.unsent -= bytes;
  stall_.touch();
  held_.charge();
  if (stream.above_low_water) check_writable(stream, stream.method->options.low_water_bytes);
}

// --- The end of a call.

void ServerSession::Impl::Stream::end() {
  if (std::exchange(counted, false)) {
    --session.active_;
    if (session.active_ == 0) session.idle_.touch();
  }
  drop_partial();
  if (handler != nullptr) session.over_.push_back(std::move(handler));
  session.schedule_events();
}

// The handler did not finish the call.
void ServerSession::Impl::Stream::cancelled() {
  if (over()) return;
  gone = true;
  ServerCallHandler* const notified = handler.get();
  if (notified != nullptr) notified->on_cancelled();
  end();
}

void ServerSession::Impl::Stream::deadline_passed() {
  const std::shared_ptr<Session> keep = session.shared_from_this();
  deadline_timer = 0;
  session.held_.unsent -= send.size();
  send.clear();
  if (finished) {
    // The answer could not be sent in time.
    session.reset_stream(*this, H2Error::kCancel);
    return;
  }
  // The client's own clock usually ends the call first; the status is for clients without a deadline timer.
  std::unique_ptr<ServerCallHandler> ended = std::move(handler);
  finish({Code::kDeadlineExceeded, "deadline exceeded"}, {});
  if (ended == nullptr) return;
  ended->on_cancelled();
  session.over_.push_back(std::move(ended));
}

void ServerSession::Impl::Stream::closed() {
  session.timers_.cancel_timer(std::exchange(deadline_timer, 0));
  session.held_.unsent -= send.size();
  send.clear();
  cancelled();
  gone = true;
  session.held_.calls -= std::exchange(cost, 0);
  session.held_.charge();
}

void ServerSession::Impl::on_stream_closed(Http2Stream& base, uint32_t /*h2_error*/) {
  auto& stream = static_cast<Stream&>(base);
  stream.closed();
  const auto it = streams_.find(&stream);
  closed_.push_back(std::move(it->second));
  streams_.erase(it);
  schedule_events();
}

}  // namespace monitor::grpc

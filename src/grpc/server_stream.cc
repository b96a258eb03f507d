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
  if (stream.dispatched) return;  // gRPC ignores trailers of a request
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
  if (ready_) timers_.cancel_timer(std::exchange(handshake_timer_, 0));
  if (!charge_call(stream)) return;
  if (stream.request_method != "POST") return answer_http_status(stream, "405");
  if (!is_grpc_content_type(stream.content_type)) return answer_http_status(stream, "415");
  if (const std::optional<CallStatus> no = refusal(stream)) {
    finish(stream, *no, {});
    return;
  }
  dispatch(stream);
}

std::optional<CallStatus> ServerSession::Impl::refusal(const Stream& stream) const {
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
  const size_t most = options.max_message_bytes != 0 ? options.max_message_bytes : limits_.max_message_bytes;
  stream.deframer = Deframer(options.max_first_message_bytes != 0 ? options.max_first_message_bytes : most);
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
  if (!stream.over()) watch_message(stream);
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
  cut_message(stream.final_status.message);
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

// The handler is done; HTTP/2 may still be sending.
void ServerSession::Impl::end_call(Stream& stream) {
  if (stream.counted) {
    stream.counted = false;
    --active_;
    if (active_ == 0) idle_since_ns_ = timers_.clock().mono_ns();
  }
  drop_partial(stream);
  if (stream.handler != nullptr) over_.push_back(std::move(stream.handler));
  schedule_events();
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

void ServerSession::Impl::written(Stream& stream, size_t bytes) {
  stream.above_low_water |= stream.send.size() > stream.method->options.low_water_bytes;
  unsent_bytes_ += bytes;
  resume(stream);
  watch_stall();
  if (unsent_bytes_ > limits_.max_unsent_bytes) {
    const std::string limit = std::to_string(limits_.max_unsent_bytes);
    return close(Error(Code::kResourceExhausted, "the client does not read: over " + limit + " bytes wait for it"));
  }
  if (charge()) return;
  close(Error(Code::kResourceExhausted, "the client does not read: " + std::to_string(unsent_bytes_) +
                                            " bytes wait for it, and the server's memory for replies is full"));
}

void ServerSession::Impl::on_data_sent(Http2Stream& base, size_t bytes) {
  auto& stream = static_cast<Stream&>(base);
  unsent_bytes_ -= bytes;
  stalled_since_ns_ = timers_.clock().mono_ns();
  charge();
  if (!stream.above_low_water || stream.writable_queued) return;
  if (stream.send.size() > stream.method->options.low_water_bytes) return;
  stream.above_low_water = false;
  stream.writable_queued = true;
  writable_.push_back(&stream);
}

// --- Calls that the handler did not finish.

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
    // The answer could not be sent in time.
    reset_stream(stream, H2Error::kCancel);
    return;
  }
  // The client's own clock usually ends the call first; the status is for clients without a deadline timer.
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
  drop_call(stream);
  const auto it = streams_.find(&stream);
  closed_.push_back(std::move(it->second));
  streams_.erase(it);
  schedule_events();
}

}  // namespace monitor::grpc

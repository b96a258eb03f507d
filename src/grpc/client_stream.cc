// ClientSession: its calls, from start() to the status.
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "grpc/client_session_impl.h"

namespace monitor::grpc {

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

void ClientSession::Impl::deadline_passed(Stream& stream) {
  stream.deadline_timer = 0;
  const std::string after = std::to_string(stream.deadline_text / kNanosPerMilli) + " ms";
  end_and_reset(stream, {Code::kDeadlineExceeded, "deadline exceeded after " + after}, H2Error::kCancel);
}

// --- What arrives.

void ClientSession::Impl::on_header(Http2Stream& base, std::string_view name, std::string_view value) {
  auto& stream = static_cast<Stream&>(base);
  if (stream.ended) return;
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
  while (!stream.ended && attached()) {
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
  if (!stream.ended) end(stream, stream.status_of_trailers());
  // The answer is complete, so unsent request bytes no longer matter.
  if (!stream.local_closed) reset_stream(stream, H2Error::kNoError);
}

CallStatus ClientSession::Impl::Stream::status_of_trailers() const {
  if (!grpc_status) {
    if (http_status != 200) {
      return {code_of_http_status(http_status), "HTTP status " + std::to_string(http_status)};
    }
    return {metadata.empty() ? Code::kInternal : Code::kUnknown, "the server ended the call without a status"};
  }
  CallStatus status{parse_status_code(*grpc_status), grpc_message};
  if (status.ok() && !deframer.between_messages()) {
    return {Code::kInternal, "the server ended the call inside a message"};
  }
  return status;
}

CallStatus ClientSession::Impl::Stream::status_of_close(uint32_t h2_error, const Error& not_sent) const {
  if (!headers_sent) return {Code::kUnavailable, "the call was not sent: " + not_sent.message()};
  if (h2_error == static_cast<uint32_t>(H2Error::kRefusedStream)) {
    return {Code::kUnavailable, "refused by the server, which never processed it"};
  }
  if (http_status != 0 && http_status != 200) {
    return {code_of_http_status(http_status), "HTTP status " + std::to_string(http_status)};
  }
  return {code_of_h2_error(h2_error), "the server reset the call: " + h2_error_name(h2_error)};
}

void ClientSession::Impl::on_stream_closed(Http2Stream& base, uint32_t h2_error) {
  auto& stream = static_cast<Stream&>(base);
  stream.h2_open = false;
  if (!stream.ended) {
    end(stream, stream.status_of_close(h2_error, finish_reason_));
  } else if (stream.done_delivered) {
    erase(stream);
  }
}

void ClientSession::Impl::on_data_sent(Http2Stream& base, size_t /*bytes*/) {
  auto& stream = static_cast<Stream&>(base);
  check_writable(stream, stream.low_water);
}

}  // namespace monitor::grpc

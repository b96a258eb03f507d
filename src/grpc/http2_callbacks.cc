#include "grpc/http2_callbacks.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

namespace monitor::grpc {

namespace {

constexpr size_t kFrameHeaderBytes = 9;
constexpr size_t kMaxPadding = 256;  // including its length byte

}  // namespace

// Every callback looks its stream up by id, because forget() may have detached the stream.
struct Http2::Handlers {
  static Http2& self(void* user_data) { return *static_cast<Http2*>(user_data); }
  static Http2Stream* stream(nghttp2_session* session, int32_t id) {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }
  static int result(const Http2& http2) { return http2.aborted_ || http2.deaf_ ? NGHTTP2_ERR_CALLBACK_FAILURE : 0; }

  // For callbacks that also run while frames are sent: output continues after stop_reading().
  static int send_result(const Http2& http2) { return http2.aborted_ ? NGHTTP2_ERR_CALLBACK_FAILURE : 0; }

  // True for a DATA frame that is empty or may consist of padding only.
  static bool carries_little(const nghttp2_frame_hd& data) {
    if ((data.flags & NGHTTP2_FLAG_END_STREAM) != 0) return false;
    return data.length == 0 || ((data.flags & NGHTTP2_FLAG_PADDED) != 0 && data.length <= kMaxPadding);
  }

  static int on_begin_frame(nghttp2_session* /*session*/, const nghttp2_frame_hd* hd, void* user_data) {
    Http2& http2 = self(user_data);
    switch (hd->type) {
      case NGHTTP2_DATA:
        if (carries_little(*hd)) http2.on_control_frame(ControlFrame::kOther);
        break;
      case NGHTTP2_HEADERS:
        http2.begin_header_frame(hd->stream_id, hd->length, false);
        break;
      case NGHTTP2_CONTINUATION:
        http2.on_control_frame(ControlFrame::kOther);
        http2.begin_header_frame(hd->stream_id, hd->length, true);
        break;
      case NGHTTP2_WINDOW_UPDATE:
        http2.on_control_frame(ControlFrame::kWindow);
        break;
      case NGHTTP2_RST_STREAM:
        http2.on_control_frame(ControlFrame::kReset);
        break;
      case NGHTTP2_PING:
        if ((hd->flags & NGHTTP2_FLAG_ACK) == 0) http2.on_control_frame(ControlFrame::kPing);
        break;
      default:
        http2.on_control_frame(ControlFrame::kOther);
    }
    return result(http2);
  }

  static int on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    Http2& http2 = self(user_data);
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return result(http2);
    http2.last_begun_stream_ = frame->hd.stream_id;
    ++http2.open_streams_;
    Http2Stream* stream = http2.on_begin_stream(frame->hd.stream_id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    return result(http2);
  }

  static int on_header(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name, size_t name_length,
                       const uint8_t* value, size_t value_length, uint8_t /*flags*/, void* user_data) {
    Http2& http2 = self(user_data);
    http2.count_header(name_length + value_length);
    Http2Stream* s = stream(session, frame->hd.stream_id);
    if (s != nullptr && result(http2) == 0) {
      http2.on_header(*s, text_of(name, name_length), text_of(value, value_length));
    }
    return result(http2);
  }

  // nghttp2 drops a field that HTTP/2 forbids, but only after decoding it, so it is charged too.
  static int on_invalid_header(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/, const uint8_t* /*name*/,
                               size_t name_length, const uint8_t* /*value*/, size_t value_length, uint8_t /*flags*/,
                               void* user_data) {
    Http2& http2 = self(user_data);
    http2.count_header(name_length + value_length);
    return result(http2);
  }

  // nghttp2 answers with RST_STREAM. It decodes the rest of a header block without delivering it.
  static int on_invalid_frame(nghttp2_session* /*session*/, const nghttp2_frame* frame, int /*code*/, void* user_data) {
    Http2& http2 = self(user_data);
    http2.on_control_frame(ControlFrame::kReset);
    if (frame->hd.type == NGHTTP2_HEADERS && !http2.block_ignored_) {
      http2.block_ignored_ = true;
      http2.charge_ignored(frame->hd.length);
    }
    return result(http2);
  }

  static int on_data(nghttp2_session* session, uint8_t /*flags*/, int32_t id, const uint8_t* data, size_t size,
                     void* user_data) {
    Http2& http2 = self(user_data);
    nghttp2_session_consume_connection(session, size);
    if (Http2Stream* s = stream(session, id)) http2.on_data(*s, text_of(data, size));
    return result(http2);
  }

  static int on_frame_recv(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    Http2& http2 = self(user_data);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
      case NGHTTP2_DATA:
        stream_frame(http2, session, frame);
        break;
      case NGHTTP2_RST_STREAM:
        if (Http2Stream* s = stream(session, frame->hd.stream_id)) s->reset = true;
        break;
      case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) http2.on_settings();
        break;
      case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) ping_answered(http2, frame->ping.opaque_data);
        break;
      case NGHTTP2_GOAWAY:
        http2.on_goaway_received(frame->goaway.error_code,
                                 text_of(frame->goaway.opaque_data, frame->goaway.opaque_data_len));
        break;
      default:
        break;
    }
    return result(http2);
  }

  static void stream_frame(Http2& http2, nghttp2_session* session, const nghttp2_frame* frame) {
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    Http2Stream* s = stream(session, frame->hd.stream_id);
    if (s == nullptr) return;
    if (end) s->remote_closed = true;
    if (frame->hd.type == NGHTTP2_HEADERS) http2.on_header_block(*s, end);
    if (!end || http2.aborted_) return;
    // The callback may have forgotten its own stream.
    s = stream(session, frame->hd.stream_id);
    if (s != nullptr) http2.on_remote_end(*s);
  }

  static void ping_answered(Http2& http2, const uint8_t* opaque) {
    if (std::memcmp(opaque, kKeepalivePing, sizeof kKeepalivePing) == 0) http2.ping_sent_ns_ = 0;
    if (std::memcmp(opaque, kProbePing, sizeof kProbePing) == 0) http2.on_probe_answered();
  }

  static int on_frame_send(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    Http2& http2 = self(user_data);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
      case NGHTTP2_DATA: {
        http2.on_payload_sent();
        Http2Stream* s = stream(session, frame->hd.stream_id);
        if (s != nullptr) s->headers_sent = true;
        if (s != nullptr && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
          s->local_closed = true;
          http2.on_end_sent(*s);
        }
        break;
      }
      case NGHTTP2_GOAWAY:
        // nghttp2 also sends GOAWAY by itself when the peer breaks a rule.
        if (frame->goaway.error_code != NGHTTP2_NO_ERROR && !http2.aborted_) {
          const std::string detail = http2.last_error_.empty() ? "" : ": " + http2.last_error_;
          http2.on_goaway_sent(Error(Code::kInternal, h2_error_name(frame->goaway.error_code) + detail));
        }
        break;
      default:
        break;
    }
    return send_result(http2);
  }

  static int on_stream_close(nghttp2_session* session, int32_t id, uint32_t error_code, void* user_data) {
    Http2& http2 = self(user_data);
    if (http2.server_ && http2.open_streams_ > 0) --http2.open_streams_;
    if (Http2Stream* s = stream(session, id)) http2.on_stream_closed(*s, error_code);
    return send_result(http2);
  }

  static int on_error(nghttp2_session* /*session*/, int /*code*/, const char* message, size_t size, void* user_data) {
    self(user_data).last_error_.assign(message, std::min<size_t>(size, 200));
    return 0;
  }

  static ssize_t read_data(nghttp2_session* session, int32_t id, uint8_t* /*buffer*/, size_t length, uint32_t* flags,
                           nghttp2_data_source* /*source*/, void* user_data) {
    Http2Stream* s = stream(session, id);
    if (s == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (s->send.empty() && !s->send_ended) {
      s->send_waits = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    const size_t take = std::min(length, s->send.size());
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (take == s->send.size() && s->send_ended) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (self(user_data).on_end_of_data(*s)) *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
    return static_cast<ssize_t>(take);
  }

  static int send_data(nghttp2_session* session, nghttp2_frame* frame, const uint8_t* frame_header, size_t length,
                       nghttp2_data_source* /*source*/, void* user_data) {
    Http2& http2 = self(user_data);
    Http2Stream* s = stream(session, frame->hd.stream_id);
    if (s == nullptr || s->send.size() < length) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    http2.out_.append(text_of(frame_header, kFrameHeaderBytes));
    http2.out_.append(s->send.front(length));
    s->send.pop(length);
    http2.on_data_sent(*s, length);
    // Without this pause nghttp2 would pass on all queued data at once.
    return http2.output_bytes() >= kOutputTarget ? NGHTTP2_ERR_PAUSE : 0;
  }

  static nghttp2_session_callbacks* make() {
    nghttp2_session_callbacks* c = nullptr;
    if (nghttp2_session_callbacks_new(&c) != 0) std::abort();  // out of memory
    nghttp2_session_callbacks_set_on_begin_frame_callback(c, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(c, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(c, on_invalid_header);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, on_invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame_recv);
    nghttp2_session_callbacks_set_on_frame_send_callback(c, on_frame_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
    nghttp2_session_callbacks_set_error_callback2(c, on_error);
    nghttp2_session_callbacks_set_send_data_callback(c, send_data);
    return c;
  }
};

nghttp2_session_callbacks* Http2::Callbacks::make() { return Handlers::make(); }

nghttp2_data_provider Http2::Callbacks::data_provider() {
  nghttp2_data_provider provider{};
  provider.read_callback = Handlers::read_data;
  return provider;
}

}  // namespace monitor::grpc

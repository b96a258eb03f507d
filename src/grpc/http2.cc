#include "grpc/http2.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

namespace monitor::grpc {
namespace {

// Output is gathered up to here, then handed out: large enough for one write of many frames, small enough that data
// waits in its stream's queue, where its sender sees it.
constexpr size_t kOutputTarget = size_t{64} * 1024;
constexpr size_t kKeptOutput = size_t{4} * 1024;
constexpr size_t kFrameHeaderBytes = 9;
constexpr uint8_t kKeepalivePing[8] = {'k', 'e', 'e', 'p', 'a', 'l', 'i', 'v'};
constexpr uint8_t kProbePing[8] = {'d', 'r', 'a', 'i', 'n', 'i', 'n', 'g'};
// Answers to PING and SETTINGS that a peer makes us queue without reading them.
constexpr size_t kMaxOutboundAcks = 1000;
constexpr size_t kPrefaceBytes = 24;
constexpr size_t kMaxPadding = 256;  // with its length

std::string_view text_of(const uint8_t* data, size_t size) { return {reinterpret_cast<const char*>(data), size}; }

std::vector<nghttp2_nv> to_nv(std::span<const HeaderField> fields) {
  std::vector<nghttp2_nv> out;
  out.reserve(fields.size());
  for (const HeaderField& field : fields) {
    // nghttp2's interface is not const-correct; it copies both.
    out.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(field.name.data())),
                   reinterpret_cast<uint8_t*>(const_cast<char*>(field.value.data())), field.name.size(),
                   field.value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return out;
}

}  // namespace

// What nghttp2 calls. The stream is looked up by its id, never remembered by nghttp2's frames: it may be forgotten.
struct Http2::Callbacks {
  static Http2& self(void* user_data) { return *static_cast<Http2*>(user_data); }
  static Http2Stream* stream(nghttp2_session* session, int32_t id) {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }
  static int result(const Http2& http2) { return http2.aborted_ || http2.deaf_ ? NGHTTP2_ERR_CALLBACK_FAILURE : 0; }

  // While frames are prepared, or from either side: what is to be sent goes out though nothing more is read.
  static int send_result(const Http2& http2) { return http2.aborted_ ? NGHTTP2_ERR_CALLBACK_FAILURE : 0; }

  // Nothing, or perhaps nothing but padding.
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

  // A field that HTTP/2 forbids: it is left out, but was decoded.
  static int on_invalid_header(nghttp2_session* /*session*/, const nghttp2_frame* /*frame*/, const uint8_t* /*name*/,
                               size_t name_length, const uint8_t* /*value*/, size_t value_length, uint8_t /*flags*/,
                               void* user_data) {
    Http2& http2 = self(user_data);
    http2.count_header(name_length + value_length);
    return result(http2);
  }

  // nghttp2 answers with RST_STREAM; the rest of a header block is decoded, and not delivered.
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
    // The stream may have been forgotten by its own event.
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
        // What we did not ask for is nghttp2's own verdict on the peer.
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
    // Without a pause nghttp2 would go on to the end of all data.
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

Http2::Http2(Timers& timers, const Http2Options& options)
    : timers_(timers),
      server_(options.server),
      max_concurrent_streams_(options.max_concurrent_streams),
      max_header_list_bytes_(options.max_header_list_bytes),
      header_timeout_ns_(options.header_timeout_ns),
      scanner_(options.server ? kPrefaceBytes : 0),
      header_bytes_(options.header_burst_bytes, options.header_bytes_per_second),
      header_fields_(options.header_burst_fields, options.header_fields_per_second),
      keepalive_interval_ns_(options.keepalive_interval_ns),
      keepalive_timeout_ns_(options.keepalive_timeout_ns) {
  static nghttp2_session_callbacks* const callbacks = Callbacks::make();
  nghttp2_option* option = nullptr;
  if (nghttp2_option_new(&option) != 0) std::abort();
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_closed_streams(option, 1);
  nghttp2_option_set_max_outbound_ack(option, kMaxOutboundAcks);
  nghttp2_option_set_peer_max_concurrent_streams(option, 100);
  const int rc = options.server ? nghttp2_session_server_new2(&session_, callbacks, this, option)
                                : nghttp2_session_client_new2(&session_, callbacks, this, option);
  nghttp2_option_del(option);
  if (rc != 0) std::abort();
  configure(options);
  if (keepalive_interval_ns_ > 0) {
    last_receive_ns_ = timers_.clock().mono_ns();
    arm_keepalive(last_receive_ns_ + keepalive_interval_ns_);
  }
}

void Http2::configure(const Http2Options& options) {
  std::vector<nghttp2_settings_entry> settings = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.stream_window_bytes},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, options.max_header_list_bytes},
  };
  if (options.server) {
    settings.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.max_concurrent_streams});
  } else {
    settings.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  }
  [[maybe_unused]] int rc = nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  assert(rc == 0);
  rc = nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                             static_cast<int32_t>(options.connection_window_bytes));
  assert(rc == 0);
}

Http2::~Http2() {
  timers_.cancel_timer(keepalive_timer_);
  timers_.cancel_timer(header_timer_);
  nghttp2_session_del(session_);
}

Status Http2::feed(std::string_view bytes) {
  if (deaf_) return {};
  now_ns_ = last_receive_ns_ = timers_.clock().mono_ns();
  const uint64_t unknown_before = scanner_.unknown_frames();
  scanner_.feed(bytes);
  for (uint64_t n = scanner_.unknown_frames() - unknown_before; n > 0 && !deaf_; --n) {
    on_control_frame(ControlFrame::kOther);
  }
  if (deaf_) return {};
  const ssize_t rc = nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (deaf_ || aborted_) return {};
  if (rc < 0) {
    const std::string detail = last_error_.empty() ? "" : " (" + last_error_ + ")";
    return Error(Code::kInternal, nghttp2_strerror(static_cast<int>(rc)) + detail);
  }
  watch_header_block();
  if (nghttp2_session_want_write(session_) != 0) want_output();
  return {};
}

std::string_view Http2::output() {
  output_announced_ = false;
  while (output_bytes() < kOutputTarget) {
    const uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size < 0) {
      if (!aborted_) on_broken(Error(Code::kInternal, nghttp2_strerror(static_cast<int>(size))));
      break;
    }
    if (size == 0) break;
    out_.append(text_of(data, static_cast<size_t>(size)));
  }
  return std::string_view(out_).substr(out_head_);
}

void Http2::output_sent(size_t bytes) {
  out_head_ += bytes;
  if (out_head_ < out_.size()) return;
  out_head_ = 0;
  out_.clear();
  if (out_.capacity() > kKeptOutput) out_.shrink_to_fit();
}

bool Http2::done() const {
  return (deaf_ || nghttp2_session_want_read(session_) == 0) && nghttp2_session_want_write(session_) == 0;
}

void Http2::want_output() {
  if (output_announced_) return;
  output_announced_ = true;
  on_want_output();
}

Result<int32_t> Http2::submit_request(std::span<const HeaderField> headers, Http2Stream& stream) {
  nghttp2_data_provider provider{};
  provider.read_callback = Callbacks::read_data;
  const std::vector<nghttp2_nv> nv = to_nv(headers);
  const int32_t id = nghttp2_submit_request(session_, nullptr, nv.data(), nv.size(), &provider, &stream);
  if (id < 0) return Error(Code::kUnavailable, nghttp2_strerror(id));
  stream.id = id;
  want_output();
  return id;
}

void Http2::submit_headers(Http2Stream& stream, std::span<const HeaderField> headers, bool end_stream) {
  nghttp2_data_provider provider{};
  provider.read_callback = Callbacks::read_data;
  const std::vector<nghttp2_nv> nv = to_nv(headers);
  nghttp2_submit_response(session_, stream.id, nv.data(), nv.size(), end_stream ? nullptr : &provider);
  want_output();
}

void Http2::submit_trailers(Http2Stream& stream, std::span<const HeaderField> trailers) {
  const std::vector<nghttp2_nv> nv = to_nv(trailers);
  nghttp2_submit_trailer(session_, stream.id, nv.data(), nv.size());
}

void Http2::resume(Http2Stream& stream) {
  if (stream.send_waits) {
    stream.send_waits = false;
    nghttp2_session_resume_data(session_, stream.id);
  }
  want_output();
}

void Http2::reset_stream(Http2Stream& stream, H2Error code) {
  if (stream.reset) return;
  stream.reset = true;
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, static_cast<uint32_t>(code));
  want_output();
}

void Http2::forget(Http2Stream& stream) { nghttp2_session_set_stream_user_data(session_, stream.id, nullptr); }

void Http2::give_back(Http2Stream& stream, size_t bytes) {
  if (bytes == 0 || stream.reset || stream.remote_closed) return;
  nghttp2_session_consume_stream(session_, stream.id, bytes);
  if (nghttp2_session_want_write(session_) != 0) want_output();
}

void Http2::submit_shutdown_notice() {
  nghttp2_submit_shutdown_notice(session_);
  want_output();
}

void Http2::submit_goaway(H2Error code, std::string_view debug_data) {
  refuses_streams_ = true;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                        static_cast<uint32_t>(code), reinterpret_cast<const uint8_t*>(debug_data.data()),
                        debug_data.size());
  want_output();
}

void Http2::terminate(H2Error code, std::string_view debug_data) {
  // The reason first: nghttp2's own GOAWAY at the end carries none.
  if (!debug_data.empty()) submit_goaway(code, debug_data);
  refuses_streams_ = true;
  nghttp2_session_terminate_session(session_, static_cast<uint32_t>(code));
  want_output();
}

void Http2::submit_probe() {
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, kProbePing);
  want_output();
}

void Http2::arm_keepalive(int64_t at_ns) {
  keepalive_timer_ = timers_.call_at(at_ns, [this] { keepalive_due(); });
}

void Http2::keepalive_due() {
  keepalive_timer_ = 0;
  const int64_t now = timers_.clock().mono_ns();
  if (ping_sent_ns_ != 0 && last_receive_ns_ >= ping_sent_ns_) ping_sent_ns_ = 0;
  if (ping_sent_ns_ != 0) {
    // The last thing done here: the owner may end the connection.
    on_broken(Error(Code::kUnavailable, "no answer to a keepalive ping"));
    return;
  }
  const int64_t next = last_receive_ns_ + keepalive_interval_ns_;
  if (now < next) {
    arm_keepalive(next);
    return;
  }
  if (!keepalive_needed()) {
    arm_keepalive(now + keepalive_interval_ns_);
    return;
  }
  ping_sent_ns_ = now;
  arm_keepalive(now + keepalive_timeout_ns_);
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, kKeepalivePing);
  want_output();
}

}  // namespace monitor::grpc

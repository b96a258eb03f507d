#include "grpc/http2.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <utility>
#include <vector>

#include "grpc/http2_callbacks.h"

namespace monitor::grpc {
namespace {

constexpr size_t kKeptOutput = size_t{4} * 1024;
// Limit on queued answers to PING and SETTINGS of a peer that does not read them.
constexpr size_t kMaxOutboundAcks = 1000;
constexpr size_t kPrefaceBytes = 24;

std::vector<nghttp2_nv> to_nv(std::span<const HeaderField> fields) {
  std::vector<nghttp2_nv> out;
  out.reserve(fields.size());
  for (const HeaderField& field : fields) {
    // nghttp2 takes non-const pointers but copies both.
    out.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(field.name.data())),
                   reinterpret_cast<uint8_t*>(const_cast<char*>(field.value.data())), field.name.size(),
                   field.value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return out;
}

}  // namespace

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
  put_off_keepalive();
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
  const nghttp2_data_provider provider = Callbacks::data_provider();
  const std::vector<nghttp2_nv> nv = to_nv(headers);
  const int32_t id = nghttp2_submit_request(session_, nullptr, nv.data(), nv.size(), &provider, &stream);
  if (id < 0) return Error(Code::kUnavailable, nghttp2_strerror(id));
  stream.id = id;
  want_output();
  return id;
}

void Http2::submit_headers(Http2Stream& stream, std::span<const HeaderField> headers, bool end_stream) {
  const nghttp2_data_provider provider = Callbacks::data_provider();
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
  // Send the reason first: nghttp2's own final GOAWAY has none.
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
  keepalive_due_ns_ = at_ns;
  keepalive_timer_ = timers_.call_at(at_ns, [this] { keepalive_due(); });
}

// What was just received makes the next look unnecessary. Moves the timer only shortly before it fires: moving it each
// time would cost more than a look every interval, but a peer that answers once an interval would cause one each time.
void Http2::put_off_keepalive() {
  if (keepalive_timer_ == 0 || ping_sent_ns_ != 0) return;
  if (keepalive_due_ns_ - last_receive_ns_ > keepalive_interval_ns_ / 4) return;
  timers_.cancel_timer(keepalive_timer_);
  arm_keepalive(last_receive_ns_ + keepalive_interval_ns_);
}

void Http2::keepalive_due() {
  keepalive_timer_ = 0;
  const int64_t now = timers_.clock().mono_ns();
  if (ping_sent_ns_ != 0 && last_receive_ns_ >= ping_sent_ns_) ping_sent_ns_ = 0;
  if (ping_sent_ns_ != 0) {
    // Must be the last statement: the owner may end the connection.
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

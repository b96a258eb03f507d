// Limits the cost of header blocks (in HPACK one byte can stand for four kilobytes) and the time that they may take.
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <utility>

#include "grpc/http2.h"

namespace monitor::grpc {
namespace {

constexpr size_t kFieldOverhead = 32;    // RFC 9113, 10.5.1
constexpr size_t kMaxTableEntry = 4096;  // RFC 7541: the default size of the table, which we do not change
constexpr size_t kHuffmanGain = 2;       // at most 8/5 decoded bytes per byte of a Huffman string, rounded up

}  // namespace

void Http2::stop_reading(std::string_view why) {
  if (deaf_ || aborted_) return;
  deaf_ = true;
  timers_.cancel_timer(std::exchange(header_timer_, 0));
  on_flood(why);
}

// True if nghttp2 decodes the block only to maintain its HPACK table, without reporting any field.
bool Http2::ignores_headers(int32_t stream_id) const {
  if (nghttp2_session_get_stream_user_data(session_, stream_id) != nullptr) return false;
  const bool begins = server_ && stream_id > last_begun_stream_;
  return !begins || refuses_streams_ || open_streams_ >= max_concurrent_streams_;
}

void Http2::begin_header_frame(int32_t stream_id, size_t length, bool continuation) {
  if (!continuation) {
    block_bytes_ = 0;
    block_ignored_ = ignores_headers(stream_id);
  }
  if (block_ignored_) charge_ignored(length);
}

void Http2::charge_ignored(size_t block_bytes) {
  const auto bytes = static_cast<double>(block_bytes);
  const bool affordable =
      header_bytes_.take(now_ns_, bytes * static_cast<double>(largest_field_)) && header_fields_.take(now_ns_, bytes);
  // The block may insert a field of its own size into the table, to which later blocks can refer.
  largest_field_ = std::max(largest_field_, std::min(block_bytes * kHuffmanGain, kMaxTableEntry));
  if (!affordable) stop_reading("too_many_headers");
}

void Http2::count_header(size_t name_and_value_bytes) {
  const size_t bytes = name_and_value_bytes + kFieldOverhead;
  largest_field_ = std::max(largest_field_, std::min(name_and_value_bytes, kMaxTableEntry));
  block_bytes_ += bytes;
  if (block_bytes_ > max_header_list_bytes_) return stop_reading("header_list_too_large");
  if (!header_bytes_.take(now_ns_, static_cast<double>(bytes)) || !header_fields_.take(now_ns_)) {
    stop_reading("too_many_headers");
  }
}

void Http2::watch_header_block() {
  if (header_timeout_ns_ == 0) return;
  const bool timed = header_timer_ != 0 && timed_block_ == scanner_.block();
  if (scanner_.in_header_block() && timed) return;
  if (header_timer_ != 0) timers_.cancel_timer(std::exchange(header_timer_, 0));
  if (!scanner_.in_header_block()) return;
  timed_block_ = scanner_.block();
  header_timer_ = timers_.call_after(header_timeout_ns_, [this] {
    header_timer_ = 0;
    stop_reading("header_timeout");
  });
}

}  // namespace monitor::grpc

// FrameScanner: parses the frame headers of one direction of an HTTP/2 connection (RFC 9113, 4.1), to detect a header
// block that never ends. nghttp2 only reports blocks that it delivers. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace monitor::grpc {

class FrameScanner {
 public:
  // `preface_bytes` precede the first frame: 24 bytes from a client, none from a server.
  explicit FrameScanner(size_t preface_bytes) : left_(preface_bytes) {}

  void feed(std::string_view bytes) {
    while (!bytes.empty()) {
      const size_t taken = std::min(left_ > 0 ? left_ : sizeof head_ - head_size_, bytes.size());
      if (left_ > 0) {
        left_ -= taken;
        if (left_ == 0) end_frame();
      } else {
        std::copy_n(bytes.data(), taken, head_ + head_size_);
        head_size_ += taken;
        if (head_size_ == sizeof head_) begin_frame();
      }
      bytes.remove_prefix(taken);
    }
  }

  bool in_header_block() const { return in_block_; }
  // Number of frames of unknown types, which nghttp2 ignores silently.
  uint64_t unknown_frames() const { return unknown_frames_; }
  // Number of header blocks so far; distinguishes a block that continues from the next block.
  uint64_t block() const { return block_; }

 private:
  static constexpr uint8_t kHeaders = 1;
  static constexpr uint8_t kPushPromise = 5;
  static constexpr uint8_t kContinuation = 9;
  static constexpr uint8_t kEndHeaders = 4;

  uint8_t byte(size_t i) const { return static_cast<uint8_t>(head_[i]); }
  void begin_frame() {
    left_ = size_t{byte(0)} << 16U | size_t{byte(1)} << 8U | byte(2);
    const uint8_t type = byte(3);
    if (type == kHeaders || type == kPushPromise) ++block_;
    if (type > kContinuation) ++unknown_frames_;
    carries_headers_ = type == kHeaders || type == kPushPromise || type == kContinuation;
    if (carries_headers_) in_block_ = true;
    if (left_ == 0) end_frame();
  }
  void end_frame() {
    if (carries_headers_ && (byte(4) & kEndHeaders) != 0) in_block_ = false;
    carries_headers_ = false;
    head_size_ = 0;
  }

  size_t left_;  // bytes left of the preface, or of the current payload
  char head_[9] = {};
  size_t head_size_ = 0;
  bool carries_headers_ = false;
  bool in_block_ = false;
  uint64_t block_ = 0;
  uint64_t unknown_frames_ = 0;
};

}  // namespace monitor::grpc

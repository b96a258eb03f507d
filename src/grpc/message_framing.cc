#include "grpc/message_framing.h"

#include <algorithm>
#include <cstring>

#include "grpc/header_encoding.h"

namespace monitor::grpc {
namespace {
// There are many idle streams, so the memory that each keeps must be small.
constexpr size_t kKeptCapacity = 4096;
}  // namespace

void SendQueue::push_message(std::string_view message) {
  const auto length = static_cast<uint32_t>(message.size());
  const char prefix[kMessagePrefixBytes] = {0, static_cast<char>(length >> 24U), static_cast<char>(length >> 16U),
                                            static_cast<char>(length >> 8U), static_cast<char>(length)};
  // Drop the sent part once it is most of the buffer: each byte moves at most once on average.
  if (head_ > 0 && head_ >= buffer_.size() / 2) {
    buffer_.erase(0, head_);
    head_ = 0;
  }
  buffer_.append(prefix, sizeof prefix);
  buffer_.append(message);
}

void SendQueue::pop(size_t bytes) {
  head_ += bytes;
  if (head_ == buffer_.size()) clear();
}

void SendQueue::clear() {
  head_ = 0;
  buffer_.clear();
  if (buffer_.capacity() > kKeptCapacity) buffer_.shrink_to_fit();
}

bool Deframer::read_prefix(std::string_view& input) {
  const size_t take = std::min(input.size(), sizeof prefix_ - prefix_size_);
  std::memcpy(prefix_ + prefix_size_, input.data(), take);
  prefix_size_ = static_cast<uint8_t>(prefix_size_ + take);
  input.remove_prefix(take);
  if (prefix_size_ < sizeof prefix_) return false;
  const auto byte = [this](int i) { return static_cast<size_t>(static_cast<unsigned char>(prefix_[i])); };
  length_ = byte(1) << 24U | byte(2) << 16U | byte(3) << 8U | byte(4);
  in_body_ = true;
  return true;
}

Deframer::Next Deframer::next(std::string_view& input) {
  body_taken_ = 0;
  if (!in_body_) {
    // The last message() is no longer valid.
    partial_.clear();
    if (partial_.capacity() > kKeptCapacity) partial_.shrink_to_fit();
    length_ = 0;
    if (input.empty() || !read_prefix(input)) return Next::kNeedMore;
    if (prefix_[0] != 0) return Next::kCompressed;
    if (length_ > max_message_bytes_) return Next::kTooLong;
  }
  const size_t missing = length_ - partial_.size();
  const std::string_view piece = input.substr(0, missing);
  input.remove_prefix(piece.size());
  body_taken_ = piece.size();
  if (piece.size() < missing) {
    partial_.append(piece);
    return Next::kNeedMore;
  }
  if (partial_.empty()) {
    message_ = piece;
  } else {
    partial_.append(piece);
    message_ = partial_;
  }
  in_body_ = false;
  prefix_size_ = 0;
  return Next::kMessage;
}

size_t ReceiveWindow::received(size_t bytes, size_t body_bytes, size_t message_length) {
  if (!manual_) return bytes;
  in_progress_ = message_length;
  withheld_ += body_bytes;
  return bytes - body_bytes + release();
}

size_t ReceiveWindow::delivered(size_t message_length) {
  if (!manual_) return 0;
  unconfirmed_ += message_length;
  in_progress_ = 0;
  return 0;
}

size_t ReceiveWindow::consumed(size_t bytes) {
  if (!manual_) return 0;
  const size_t confirmed = std::min(bytes, unconfirmed_);
  unconfirmed_ -= confirmed;
  const size_t already = std::min(confirmed, advanced_);
  advanced_ -= already;
  const size_t give = confirmed - already;
  withheld_ -= give;
  return give + release();
}

size_t ReceiveWindow::release() {
  // nghttp2 sends WINDOW_UPDATE once half of the window is consumed, so a message up to that size always fits.
  if (unconfirmed_ > 0 || in_progress_ <= window_bytes_ / 2) return 0;
  const size_t give = withheld_;
  advanced_ += give;
  withheld_ = 0;
  return give;
}

}  // namespace monitor::grpc

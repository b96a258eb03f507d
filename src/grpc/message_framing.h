// Framing of gRPC messages in an HTTP/2 stream: a flag byte, four bytes of length, the message. Pure, bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace monitor::grpc {

// Bytes waiting to be sent on a stream. Keeps its memory while in use, and frees a large buffer when it runs empty.
class SendQueue {
 public:
  // Adds the prefix and the message.
  void push_message(std::string_view message);
  size_t size() const { return buffer_.size() - head_; }
  bool empty() const { return size() == 0; }
  std::string_view front(size_t bytes) const { return std::string_view(buffer_).substr(head_, bytes); }
  void pop(size_t bytes);
  void clear();

 private:
  std::string buffer_;
  size_t head_ = 0;
};

// Extracts messages from bytes that arrive in pieces of any size. A message that arrives in one piece is not copied.
class Deframer {
 public:
  enum class Next { kNeedMore, kMessage, kTooLong, kCompressed };

  explicit Deframer(size_t max_message_bytes) : max_message_bytes_(max_message_bytes) {}

  // Consumes the front of `input` until a message is complete or the input is empty. Must not be called again after
  // kTooLong or kCompressed.
  Next next(std::string_view& input);
  // The message, after kMessage and until the next call of next(). May point into the input.
  std::string_view message() const { return message_; }
  // Body bytes that the last next() consumed.
  size_t body_taken() const { return body_taken_; }
  // Length of the message whose prefix has been read; 0 between messages.
  size_t length() const { return length_; }
  // Memory held by an incomplete message.
  size_t partial_bytes() const { return partial_.empty() ? 0 : partial_.capacity(); }
  void set_max_message_bytes(size_t bytes) { max_message_bytes_ = bytes; }
  size_t max_message_bytes() const { return max_message_bytes_; }
  bool between_messages() const { return !in_body_ && prefix_size_ == 0; }

 private:
  bool read_prefix(std::string_view& input);

  size_t max_message_bytes_;
  uint8_t prefix_size_ = 0;
  bool in_body_ = false;
  char prefix_[5] = {};
  size_t length_ = 0;
  size_t body_taken_ = 0;
  std::string partial_;
  std::string_view message_;
};

// Decides which received bytes return to the peer's window, and when.
//
// Automatic: at once. Manual: when the user confirms a message. A message larger than the window is admitted once all
// earlier ones are confirmed: its bytes return while it arrives, and its confirmation is credited to later bytes. At
// most one message is therefore ahead of the user. Methods return the bytes to give back now.
class ReceiveWindow {
 public:
  ReceiveWindow(size_t window_bytes, bool manual) : window_bytes_(window_bytes), manual_(manual) {}

  // `bytes` of prefixes and bodies were received, `body_bytes` of them of the message in progress or just completed.
  size_t received(size_t bytes, size_t body_bytes, size_t message_length);
  // A message is complete and passed to the user.
  size_t delivered(size_t message_length);
  size_t consumed(size_t bytes);
  // Bytes of messages that the user has not confirmed. At 0 the peer can send the whole next message.
  size_t unconfirmed() const { return unconfirmed_; }

 private:
  size_t release();

  size_t window_bytes_;
  bool manual_;
  size_t in_progress_ = 0;  // length of the message being received
  size_t withheld_ = 0;     // received, but not returned to the window
  size_t unconfirmed_ = 0;  // passed to the user, but not confirmed
  size_t advanced_ = 0;     // returned to the window before confirmation, of unconfirmed_ and the message in progress
};

}  // namespace monitor::grpc

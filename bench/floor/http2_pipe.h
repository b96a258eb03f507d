// An nghttp2 session on a socket, without limits, timeouts or error handling. Its cost is the cost of HTTP/2 alone.
//
// The pipe owns socket and session. Single-threaded.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace monitor::bench {

class Http2Pipe {
 public:
  // `fd` must be non-blocking.
  explicit Http2Pipe(int socket) : socket_(socket) {}
  ~Http2Pipe();
  Http2Pipe(const Http2Pipe&) = delete;
  Http2Pipe& operator=(const Http2Pipe&) = delete;

  // Call once, with a session created for this pipe. Announces flow-control windows large enough for all data in
  // flight.
  void begin(nghttp2_session* session);
  nghttp2_session* session() const { return session_; }
  int socket() const { return socket_; }

  // Reads until the socket is empty. False: the connection has ended.
  bool read();
  // Sends pending output until the socket is full. The next call sends the rest.
  bool flush();
  bool wants_to_send() const { return sent_ < out_.size(); }

 private:
  int socket_;
  nghttp2_session* session_ = nullptr;
  std::string out_;
  size_t sent_ = 0;
};

// Extracts gRPC messages from the bytes of a stream.
class Deframer {
 public:
  // Calls `each` with every complete message.
  template <typename Each>
  void feed(std::string_view bytes, Each each) {
    if (!rest_.empty()) {
      rest_.append(bytes);
      bytes = rest_;
    }
    while (bytes.size() >= kPrefix) {
      const size_t size = size_of(bytes);
      if (bytes.size() < kPrefix + size) break;
      each(bytes.substr(kPrefix, size));
      bytes.remove_prefix(kPrefix + size);
    }
    if (bytes.data() == rest_.data()) return;
    std::string left(bytes);
    rest_.swap(left);
  }

 private:
  static constexpr size_t kPrefix = 5;
  static size_t size_of(std::string_view bytes) {
    size_t size = 0;
    for (size_t i = 1; i < kPrefix; ++i) size = (size << 8) | static_cast<unsigned char>(bytes[i]);
    return size;
  }
  std::string rest_;
};

// Appends a message with gRPC's length prefix.
void frame(std::string& out, std::string_view message);

// nghttp2's data source callback: moves data from `out` to nghttp2, and defers the stream when `out` is empty.
ssize_t give_data(std::string& out, uint8_t* buffer, size_t size);

nghttp2_nv header(std::string_view name, std::string_view value);

}  // namespace monitor::bench

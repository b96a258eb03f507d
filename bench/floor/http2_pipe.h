// A socket with nghttp2's session on it, and nothing else: no limits, no timeouts, no errors but the end. What it costs
// is what HTTP/2 costs.
//
// The pipe owns both. One thread.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace monitor::bench {

class Http2Pipe {
 public:
  // Of a socket that does not block.
  explicit Http2Pipe(int socket) : socket_(socket) {}
  ~Http2Pipe();
  Http2Pipe(const Http2Pipe&) = delete;
  Http2Pipe& operator=(const Http2Pipe&) = delete;

  // Once, with a session that was made for this pipe; announces windows that hold what is in flight.
  void begin(nghttp2_session* session);
  nghttp2_session* session() const { return session_; }
  int socket() const { return socket_; }

  // Reads until nothing is there. False: the connection has ended.
  bool read();
  // Sends what there is, as far as the socket takes it; the rest goes with the next call.
  bool flush();
  bool wants_to_send() const { return sent_ < out_.size(); }

 private:
  int socket_;
  nghttp2_session* session_ = nullptr;
  std::string out_;
  size_t sent_ = 0;
};

// Messages of gRPC, cut out of the bytes of a stream.
class Deframer {
 public:
  // Calls `each` with every message that is whole.
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

// Appends a message with gRPC's prefix.
void frame(std::string& out, std::string_view message);

// Hands what `out` holds to nghttp2, which calls this for the data of a stream; pauses the stream when it is empty.
ssize_t give_data(std::string& out, uint8_t* buffer, size_t size);

nghttp2_nv header(std::string_view name, std::string_view value);

}  // namespace monitor::bench

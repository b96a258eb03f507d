#include "floor/http2_pipe.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace monitor::bench {

namespace {

constexpr size_t kAtOnce = size_t{64} * 1024;
constexpr int32_t kStreamWindow = 1088 * 1024;
constexpr int32_t kConnectionWindow = 2 * kStreamWindow;

}  // namespace

Http2Pipe::~Http2Pipe() {
  nghttp2_session_del(session_);
  close(socket_);
}

void Http2Pipe::begin(nghttp2_session* session) {
  session_ = session;
  const nghttp2_settings_entry window{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &window, 1);
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

bool Http2Pipe::read() {
  std::array<uint8_t, kAtOnce> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by recv
  while (true) {
    const ssize_t n = recv(socket_, buffer.data(), buffer.size(), 0);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) return false;
    if (nghttp2_session_mem_recv(session_, buffer.data(), static_cast<size_t>(n)) < 0) return false;
    if (static_cast<size_t>(n) < buffer.size()) return true;
  }
}

bool Http2Pipe::flush() {
  while (true) {
    while (out_.size() - sent_ < kAtOnce) {
      const uint8_t* data = nullptr;
      const ssize_t n = nghttp2_session_mem_send(session_, &data);
      if (n < 0) return false;
      if (n == 0) break;
      out_.append(reinterpret_cast<const char*>(data), static_cast<size_t>(n));
    }
    if (sent_ == out_.size()) return true;
    const ssize_t n = send(socket_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    sent_ += static_cast<size_t>(n);
    if (sent_ < out_.size()) continue;
    out_.clear();
    sent_ = 0;
  }
}

void frame(std::string& out, std::string_view message) {
  out += '\0';
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(message.size() >> shift);
  out.append(message);
}

ssize_t give_data(std::string& out, uint8_t* buffer, size_t size) {
  if (out.empty()) return NGHTTP2_ERR_DEFERRED;
  const size_t n = std::min(size, out.size());
  std::copy_n(out.data(), n, buffer);
  out.erase(0, n);
  return static_cast<ssize_t>(n);
}

nghttp2_nv header(std::string_view name, std::string_view value) {
  // nghttp2's interface is not const-correct. It copies name and value.
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace monitor::bench

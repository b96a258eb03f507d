#include "floor/http2_writer.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace monitor::bench {

namespace {

[[noreturn]] void end(const char* what) {
  std::perror(what);
  std::exit(69);  // NOLINT(concurrency-mt-unsafe): single-threaded
}

int connect_to(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) end("connect");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

}  // namespace

struct Http2Writer::Callbacks {
  static int on_data(nghttp2_session* /*session*/, uint8_t /*flags*/, int32_t /*stream*/, const uint8_t* data,
                     size_t size, void* user_data) {
    auto& self = *static_cast<Http2Writer*>(user_data);
    self.in_.feed({reinterpret_cast<const char*>(data), size}, [&self](std::string_view) { ++self.answers_; });
    return 0;
  }
  static ssize_t on_read(nghttp2_session* /*session*/, int32_t /*stream*/, uint8_t* buffer, size_t size,
                         uint32_t* /*flags*/, nghttp2_data_source* source, void* /*user_data*/) {
    return give_data(*static_cast<std::string*>(source->ptr), buffer, size);
  }
};

Http2Writer::Http2Writer(uint16_t port) : pipe_(std::make_unique<Http2Pipe>(connect_to(port))) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Callbacks::on_data);
  nghttp2_session* session = nullptr;
  nghttp2_session_client_new(&session, callbacks, this);
  nghttp2_session_callbacks_del(callbacks);
  pipe_->begin(session);
  const std::array headers = {header(":method", "POST"),
                              header(":scheme", "http"),
                              header(":path", "/monitor.v1.Ingest/Publish"),
                              header(":authority", "localhost"),
                              header("content-type", "application/grpc"),
                              header("te", "trailers")};
  nghttp2_data_provider provider{};
  provider.source.ptr = &out_;
  provider.read_callback = &Callbacks::on_read;
  stream_ = nghttp2_submit_request(session, nullptr, headers.data(), headers.size(), &provider, nullptr);
  if (!pipe_->flush()) end("send");
}

void Http2Writer::write(std::string_view message) {
  frame(out_, message);
  nghttp2_session_resume_data(pipe_->session(), stream_);
  if (!pipe_->flush()) end("send");
}

void Http2Writer::read() {
  if (!pipe_->read() || !pipe_->flush()) end("receive");
}

}  // namespace monitor::bench

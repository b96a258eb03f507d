#include "floor/http2_sink.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <variant>

#include "stream/messages.h"

namespace monitor::bench {

struct Http2Sink::Connection {
  Connection(Http2Sink& owner, int socket) : sink(owner), pipe(socket) {}
  Http2Sink& sink;
  Http2Pipe pipe;
  std::vector<Stream*> streams;
  bool waits_to_send = false;
  bool has_output = false;  // is in to_send_
};

struct Http2Sink::Callbacks {
  static Stream* stream_of(nghttp2_session* session, int32_t id) {
    return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }
  static int on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user_data) {
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    auto& connection = *static_cast<Connection*>(user_data);
    auto stream = std::make_unique<Stream>();
    stream->connection = &connection;
    stream->id = frame->hd.stream_id;
    nghttp2_session_set_stream_user_data(session, stream->id, stream.get());
    connection.streams.push_back(stream.get());
    connection.sink.streams_.push_back(std::move(stream));
    return 0;
  }
  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* /*user_data*/) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    const std::array headers = {header(":status", "200"), header("content-type", "application/grpc")};
    nghttp2_data_provider provider{};
    provider.source.ptr = &stream_of(session, frame->hd.stream_id)->out;
    provider.read_callback = &on_read;
    nghttp2_submit_response(session, frame->hd.stream_id, headers.data(), headers.size(), &provider);
    return 0;
  }
  static int on_data(nghttp2_session* session, uint8_t /*flags*/, int32_t id, const uint8_t* data, size_t size,
                     void* user_data) {
    auto& connection = *static_cast<Connection*>(user_data);
    Stream& stream = *stream_of(session, id);
    stream.in.feed({reinterpret_cast<const char*>(data), size},
                   [&](std::string_view message) { connection.sink.take(stream, message); });
    return 0;
  }
  static ssize_t on_read(nghttp2_session* /*session*/, int32_t /*stream*/, uint8_t* buffer, size_t size,
                         uint32_t* /*flags*/, nghttp2_data_source* source, void* /*user_data*/) {
    return give_data(*static_cast<std::string*>(source->ptr), buffer, size);
  }
};

Http2Sink::Http2Sink(OnBatch on_batch) : on_batch_(std::move(on_batch)), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

Http2Sink::~Http2Sink() {
  connections_.clear();
  close(listener_);
  close(epoll_);
}

void Http2Sink::watch(int fd, std::function<void()> ready) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  watched_[fd] = std::move(ready);
}

uint16_t Http2Sink::listen() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  if (listener_ < 0 || bind(listener_, raw, size) != 0 || ::listen(listener_, SOMAXCONN) != 0 ||
      getsockname(listener_, raw, &size) != 0) {
    std::perror("listen");
    std::exit(69);  // NOLINT(concurrency-mt-unsafe): single-threaded
  }
  watch(listener_, [this] { accept_all(); });
  return ntohs(address.sin_port);
}

void Http2Sink::accept_all() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto connection = std::make_unique<Connection>(*this, fd);
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &Callbacks::on_begin_headers);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Callbacks::on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Callbacks::on_data);
    nghttp2_session* session = nullptr;
    nghttp2_session_server_new(&session, callbacks, connection.get());
    nghttp2_session_callbacks_del(callbacks);
    connection->pipe.begin(session);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    connections_[fd] = std::move(connection);
  }
}

void Http2Sink::attend(Connection& connection, uint32_t events) {
  if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0 && !connection.pipe.read()) return end(connection);
  send(connection);
}

void Http2Sink::send(Connection& connection) {
  if (!connection.pipe.flush()) return end(connection);
  const bool waits = connection.pipe.wants_to_send();
  if (waits == connection.waits_to_send) return;
  connection.waits_to_send = waits;
  epoll_event event{};
  event.events = waits ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.fd = connection.pipe.socket();
  epoll_ctl(epoll_, EPOLL_CTL_MOD, event.data.fd, &event);
}

void Http2Sink::end(Connection& connection) {
  for (Stream* stream : connection.streams) stream->connection = nullptr;
  std::erase(to_send_, &connection);
  connections_.erase(connection.pipe.socket());
}

void Http2Sink::take(Stream& stream, std::string_view message) {
  const auto parsed = stream::parse_client_message(message);
  if (!parsed) return;
  if (const auto* publish = std::get_if<stream::Publish>(&*parsed)) {
    on_batch_(*this, stream, message, publish->batch);
  } else if (const auto* hello = std::get_if<stream::Hello>(&*parsed)) {
    stream.agent = hello->agent_id;
    stream::HelloReply reply;
    reply.version = "floor";
    reply.window_bytes = 1 << 20;
    reply.limits = {.batch_bytes = 1 << 18,
                    .points = 1 << 16,
                    .series = 1 << 16,
                    .labels = 64,
                    .name_bytes = 256,
                    .value_bytes = 1024};
    stream.greeted = true;
    write(stream, stream::encode(reply));
  }
}

void Http2Sink::write(Stream& stream, std::string_view message) {
  Connection& connection = *stream.connection;
  frame(stream.out, message);
  nghttp2_session_resume_data(connection.pipe.session(), stream.id);
  if (connection.has_output) return;
  connection.has_output = true;
  to_send_.push_back(&connection);
}

void Http2Sink::acknowledge(Stream& stream) {
  if (stream.acked++ == stream.acked_sent) to_acknowledge_.push_back(&stream);
}

void Http2Sink::write_acknowledgements() {
  for (Stream* stream : to_acknowledge_) {
    stream->acked_sent = stream->acked;
    if (stream->connection != nullptr) write(*stream, stream::encode(stream::Ack{stream->acked}));
  }
  to_acknowledge_.clear();
  std::vector<Connection*> now;
  now.swap(to_send_);
  for (Connection* connection : now) {
    connection->has_output = false;
    send(*connection);
  }
}

void Http2Sink::run() {
  std::array<epoll_event, 64> events{};
  while (true) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      if (const auto other = watched_.find(event.data.fd); other != watched_.end()) {
        other->second();
      } else if (const auto at = connections_.find(event.data.fd); at != connections_.end()) {
        attend(*at->second, event.events);
      }
    }
    write_acknowledgements();
  }
}

}  // namespace monitor::bench

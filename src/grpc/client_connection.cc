#include "grpc/client_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace monitor::grpc {
namespace {

ClientSessionOptions session_options(const ChannelOptions& options) {
  ClientSessionOptions out = options.session;
  out.secure = options.security != nullptr;
  if (out.authority.empty()) {
    const bool v6 = options.host.find(':') != std::string::npos && !options.host.starts_with('[');
    out.authority = (v6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
  }
  return out;
}

}  // namespace

ClientConnection::ClientConnection(EventLoop& loop, Resolver& resolver, const ChannelOptions& options, Events& events)
    : loop_(loop),
      resolver_(resolver),
      options_(options),
      events_(&events),
      session_(std::make_unique<ClientSession>(loop, session_options(options), *this)) {}

ClientConnection::~ClientConnection() { abandon(); }

void ClientConnection::begin() {
  resolver_.resolve(options_.host, options_.port,
                    [weak = weak_from_this()](Result<std::vector<SocketAddress>> addresses) {
                      if (const auto self = weak.lock()) self->resolved(std::move(addresses));
                    });
}

void ClientConnection::abandon() {
  events_ = nullptr;
  close_socket();
  session_.reset();
}

void ClientConnection::fail(const Error& error) {
  close_socket();
  session_->connection_lost(error);
}

void ClientConnection::close_socket() {
  loop_.cancel_timer(std::exchange(timer_, 0));
  if (connecting_fd_ >= 0) {
    loop_.unwatch(connecting_fd_);
    ::close(std::exchange(connecting_fd_, -1));
  }
  if (transport_ != nullptr) transport_->close();
}

// --- Name and addresses.

void ClientConnection::resolved(Result<std::vector<SocketAddress>> addresses) {
  if (events_ == nullptr || session_->finished()) return;
  if (!addresses.ok()) return fail(addresses.error());
  addresses_ = std::move(*addresses);
  try_next();
}

void ClientConnection::try_next() {
  while (next_address_ < addresses_.size()) {
    const SocketAddress& address = addresses_[next_address_++];
    peer_ = address.to_string();
    if (try_address(address)) return;
  }
  fail(Error(Code::kUnavailable, "connecting to " + options_.host + " failed: " + failures_));
}

bool ClientConnection::try_address(const SocketAddress& address) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    failures_ += (failures_.empty() ? "" : "; ") + errno_error(errno, peer_).message();
    return false;
  }
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  const auto user_timeout = static_cast<unsigned>(options_.tcp_user_timeout_ns / kNanosPerMilli);
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout, sizeof user_timeout);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length) != 0 && errno != EINPROGRESS) {
    failures_ += (failures_.empty() ? "" : "; ") + errno_error(errno, peer_).message();
    ::close(fd);
    return false;
  }
  connecting_fd_ = fd;
  loop_.watch(fd, EPOLLOUT, [this](uint32_t) { connect_done(); });
  timer_ = loop_.call_after(options_.connect_timeout_ns, [this] {
    timer_ = 0;
    address_failed(Error(Code::kUnavailable, peer_ + ": no connection within the time limit"));
  });
  return true;
}

void ClientConnection::connect_done() {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(connecting_fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return address_failed(errno_error(error, peer_));
  connected();
}

void ClientConnection::address_failed(const Error& error) {
  failures_ += (failures_.empty() ? "" : "; ") + error.message();
  close_socket();
  try_next();
}

void ClientConnection::connected() {
  loop_.cancel_timer(std::exchange(timer_, 0));
  loop_.unwatch(connecting_fd_);
  std::unique_ptr<SecureTransform> secure =
      options_.security == nullptr ? nullptr : options_.security->new_connection();
  transport_ = std::make_shared<SocketTransport>(loop_, std::exchange(connecting_fd_, -1), std::move(secure), *session_,
                                                 *this, 0);
  timer_ = loop_.call_after(options_.handshake_timeout_ns, [this] {
    timer_ = 0;
    fail(Error(Code::kUnavailable, peer_ + ": connected, but no gRPC answer within the time limit"));
  });
  transport_->start();
}

// --- The connection.

void ClientConnection::on_secured(const PeerCertificate* /*certificate*/) {}

void ClientConnection::on_output_wanted() {
  if (transport_ != nullptr) transport_->want_flush();
}

void ClientConnection::on_ready() {
  loop_.cancel_timer(std::exchange(timer_, 0));
  if (events_ != nullptr) events_->on_connection_ready(*this);
}

void ClientConnection::on_goaway(const GoAway& goaway) {
  if (events_ != nullptr) events_->on_connection_goaway(*this, goaway);
}

void ClientConnection::on_finished(const Error& reason) {
  const std::shared_ptr<ClientConnection> keep = shared_from_this();
  close_socket();
  if (Events* events = std::exchange(events_, nullptr)) events->on_connection_gone(*this, reason);
}

void ClientConnection::on_transport_closed() {}

}  // namespace monitor::grpc

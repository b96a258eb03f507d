#include "grpc/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/net/listen_socket.h"
#include "grpc/socket_transport.h"

namespace monitor::grpc {
namespace {
constexpr int kAcceptsPerWake = 64;
constexpr int64_t kPauseOutOfDescriptors = 100 * kNanosPerMilli;
}  // namespace

class Server::Impl final : public std::enable_shared_from_this<Impl> {
 public:
  Impl(EventLoop& loop, ServerOptions options) : loop_(loop), options_(std::move(options)) {}
  ~Impl() { detach(); }

  MethodTable& methods() { return methods_; }
  Result<uint16_t> listen(const std::string& address, uint16_t port);
  void shutdown(int64_t grace_ns, std::function<void()> done);
  ServerStats stats() const;
  void detach();

 private:
  class Connection;

  void accept_ready(int listener);
  void accepted(int fd, const SocketAddress& address);
  bool admitted(const SocketAddress& address);
  void refused(const char* reason);
  void leave(const Connection& connection);
  void pause_accepting();
  void connection_gone(Connection& connection);
  void check_shut_down();

  EventLoop& loop_;
  const ServerOptions options_;
  MethodTable methods_;
  std::vector<int> listeners_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
  ServerStats stats_;
  Timers::TimerId pause_timer_ = 0;
  Timers::TimerId grace_timer_ = 0;
  bool shutting_down_ = false;
  std::function<void()> shut_down_;
};

// A client's connection: socket, optional TLS, session.
class Server::Impl::Connection final : public std::enable_shared_from_this<Connection>,
                                       public ServerSessionHandler,
                                       public SocketTransport::Owner {
 public:
  Connection(Impl& server, int fd, const SocketAddress& address)
      : address_(address),
        server_(&server),
        session_(server.loop_, server.options_.limits, server.methods_, PeerInfo{address.to_string(), nullptr}, *this),
        transport_(std::make_shared<SocketTransport>(
            server.loop_, fd,
            server.options_.security == nullptr ? nullptr : server.options_.security->new_connection(), session_, *this,
            server.options_.limits.stall_timeout_ns)) {}

  void start() { transport_->start(); }
  ServerSession& session() { return session_; }
  const SocketAddress& address() const { return address_; }
  void abandon() {
    server_ = nullptr;
    transport_->close();
  }

 private:
  void on_output_wanted() override { transport_->want_flush(); }
  void on_finished(const Error& /*reason*/) override {
    // GOAWAY is still to be sent; the transport closes after it.
    if (transport_closed_) {
      gone();
    } else {
      transport_->end_soon();
    }
  }
  void on_handshake_failed(const Error& error) override {
    if (server_ == nullptr || !server_->options_.on_handshake_failed) return;
    server_->options_.on_handshake_failed(address_.to_string(), error);
  }
  void on_secured(const PeerCertificate* certificate) override { session_.set_peer_certificate(certificate); }
  void on_transport_closed() override {
    transport_closed_ = true;
    if (session_finished()) gone();
  }
  bool session_finished() const { return session_.active_calls() == 0 && session_.finished(); }
  void gone() {
    const std::shared_ptr<Connection> keep = shared_from_this();
    if (Impl* server = std::exchange(server_, nullptr)) server->connection_gone(*this);
  }

  const SocketAddress address_;
  Impl* server_;
  ServerSession session_;
  std::shared_ptr<SocketTransport> transport_;
  bool transport_closed_ = false;
};

void Server::Impl::detach() {
  loop_.cancel_timer(std::exchange(pause_timer_, 0));
  loop_.cancel_timer(std::exchange(grace_timer_, 0));
  for (const int fd : listeners_) {
    loop_.unwatch(fd);
    ::close(fd);
  }
  listeners_.clear();
  for (auto& [connection, owner] : connections_) {
    connection->abandon();
    leave(*connection);
  }
  connections_.clear();
}

Result<uint16_t> Server::Impl::listen(const std::string& address, uint16_t port) {
  const std::string what = "listening on " + address + ":" + std::to_string(port);
  const auto parsed = parse_socket_address(address, port);
  if (!parsed) return parsed.error().with_context(what);
  auto listener = listen_tcp(*parsed, {.backlog = options_.backlog, .reuse_port = options_.reuse_port}, what);
  if (!listener) return Error(Code::kUnavailable, listener.error().message());
  const int fd = listener->release();
  listeners_.push_back(fd);
  loop_.watch(fd, EPOLLIN, [this, fd](uint32_t) { accept_ready(fd); });
  return bound_port(fd);
}

void Server::Impl::accept_ready(int listener) {
  for (int i = 0; i < kAcceptsPerWake; ++i) {
    SocketAddress address;
    address.length = sizeof address.storage;
    const int fd = accept4(listener, address.get(), &address.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      accepted(fd, address);
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      log_warning("accepting connections is paused", {{"reason", errno_error(errno, "accept")}});
      pause_accepting();
    }
    return;
  }
}

void Server::Impl::accepted(int fd, const SocketAddress& address) {
  if (!admitted(address)) {
    ::close(fd);
    return;
  }
  ++stats_.connections_accepted;
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (options_.limits.stall_timeout_ns > 0) {
    const auto timeout = static_cast<unsigned>(options_.limits.stall_timeout_ns / kNanosPerMilli);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
  }
  auto connection = std::make_shared<Connection>(*this, fd, address);
  connections_.emplace(connection.get(), connection);
  connection->start();
}

bool Server::Impl::admitted(const SocketAddress& address) {
  using Verdict = ConnectionTable::Verdict;
  Verdict verdict = Verdict::kTooMany;
  if (connections_.size() < options_.limits.max_connections) {
    verdict = options_.connections == nullptr ? Verdict::kWelcome : options_.connections->enter(address);
  }
  if (verdict == Verdict::kWelcome) return true;
  const bool of_address = verdict == Verdict::kTooManyFromAddress;
  const size_t limit = options_.connections == nullptr ? options_.limits.max_connections
                       : of_address                    ? options_.connections->limits().per_address
                                                       : options_.connections->limits().total;
  log_warning(of_address ? "connection refused: too many connections from its address"
                         : "connection refused: too many connections",
              {{"peer", address.to_string()}, {"limit", limit}});
  refused(of_address ? "address_limit" : "limit");
  return false;
}

void Server::Impl::refused(const char* reason) {
  ++stats_.connections_refused;
  if (options_.on_refused) options_.on_refused(reason);
}

void Server::Impl::leave(const Connection& connection) {
  if (options_.connections != nullptr) options_.connections->leave(connection.address());
}

// epoll is level-triggered: without the pause the loop would spin on a queue that it cannot empty.
void Server::Impl::pause_accepting() {
  refused("descriptors");
  if (pause_timer_ != 0) return;
  for (const int fd : listeners_) loop_.change_watch(fd, 0);
  pause_timer_ = loop_.call_after(kPauseOutOfDescriptors, [this] {
    pause_timer_ = 0;
    for (const int fd : listeners_) loop_.change_watch(fd, EPOLLIN);
  });
}

void Server::Impl::connection_gone(Connection& connection) {
  leave(connection);
  connections_.erase(&connection);
  check_shut_down();
}

void Server::Impl::shutdown(int64_t grace_ns, std::function<void()> done) {
  if (shutting_down_) return;
  shutting_down_ = true;
  shut_down_ = std::move(done);
  loop_.cancel_timer(std::exchange(pause_timer_, 0));
  for (const int fd : listeners_) {
    loop_.unwatch(fd);
    ::close(fd);
  }
  listeners_.clear();
  for (auto& [connection, owner] : connections_) connection->session().drain();
  grace_timer_ = loop_.call_after(grace_ns, [this] {
    grace_timer_ = 0;
    for (auto& [connection, owner] : connections_) {
      connection->session().close(Error(Code::kUnavailable, "the server is shutting down"));
    }
  });
  loop_.call_after(0, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->check_shut_down();
  });
}

void Server::Impl::check_shut_down() {
  if (!shutting_down_ || !connections_.empty() || !shut_down_) return;
  loop_.cancel_timer(std::exchange(grace_timer_, 0));
  const std::function<void()> done = std::exchange(shut_down_, nullptr);
  done();
}

ServerStats Server::Impl::stats() const {
  ServerStats stats = stats_;
  stats.connections_open = connections_.size();
  for (const auto& [connection, owner] : connections_) stats.calls_running += connection->session().active_calls();
  return stats;
}

Server::Server(EventLoop& loop, ServerOptions options) : impl_(std::make_shared<Impl>(loop, std::move(options))) {}
Server::~Server() { impl_->detach(); }
void Server::add_method(std::string path, CallFactory factory, const MethodOptions& options) {
  impl_->methods().add_method(std::move(path), std::move(factory), options);
}
void Server::add_unary(std::string path, UnaryMethod method, const MethodOptions& options) {
  impl_->methods().add_unary(std::move(path), std::move(method), options);
}
MethodTable& Server::methods() { return impl_->methods(); }
Result<uint16_t> Server::listen(const std::string& address, uint16_t port) { return impl_->listen(address, port); }
void Server::shutdown(int64_t grace_ns, std::function<void()> done) { impl_->shutdown(grace_ns, std::move(done)); }
ServerStats Server::stats() const { return impl_->stats(); }

}  // namespace monitor::grpc

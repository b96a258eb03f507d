// Server: listens and serves gRPC on one loop. To use several cores, run one Server for each loop on the same port
// (reuse_port).
//
// Thread contract: the loop's thread; the loop must outlive the server. Methods must be added before the first
// listen(). Call handlers must not destroy the server. The destructor closes all connections, and destroys the handlers
// of running calls without a callback.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/event_loop.h"
#include "base/result.h"
#include "grpc/connection_table.h"
#include "grpc/resolver.h"
#include "grpc/secure_transform.h"
#include "grpc/server_call.h"
#include "grpc/server_session.h"

namespace monitor::grpc {

struct ServerOptions {
  ServerLimits limits;
  // nullptr: plaintext. From TlsServerContext::load().
  std::shared_ptr<const SecurityContext> security;
  // SO_REUSEPORT: several servers share a port, and the kernel distributes connections among them.
  bool reuse_port = false;
  int backlog = 1024;
  // Limits shared by several servers; nullptr: only ServerLimits::max_connections applies, to each server.
  std::shared_ptr<ConnectionTable> connections;
  // Called from the loop for each rejected connection, with "limit", "address_limit", or "descriptors" if accept() ran
  // out of descriptors.
  std::function<void(const char* reason)> on_refused;
  // A TLS handshake failed, with the client's address and the reason: its certificate was refused, it refused the
  // server's, or it does not use TLS. Called from the loop.
  std::function<void(const std::string& peer, const Error& error)> on_handshake_failed;
};

struct ServerStats {
  uint64_t connections_accepted = 0;
  uint64_t connections_refused = 0;  // above max_connections, or out of descriptors
  size_t connections_open = 0;
  size_t calls_running = 0;
};

class Server {
 public:
  Server(EventLoop& loop, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void add_method(std::string path, CallFactory factory, const MethodOptions& options = {});
  void add_unary(std::string path, UnaryMethod method, const MethodOptions& options = {});
  MethodTable& methods();

  // Listens on a numeric address ("0.0.0.0", "127.0.0.1", "::" for IPv6 only). Port 0 picks a free port. Returns the
  // port. May be called for several addresses.
  Result<uint16_t> listen(const std::string& address, uint16_t port);

  // Stops listening, sends GOAWAY to every client, and waits for running calls. After `grace_ns` it cancels the rest.
  // `done` is called later, from the loop, when the last connection is closed.
  void shutdown(int64_t grace_ns, std::function<void()> done);

  ServerStats stats() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace monitor::grpc

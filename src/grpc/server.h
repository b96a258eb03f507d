// Server: listens, and serves gRPC on one loop. For several cores, one Server a loop on the same port (reuse_port).
//
// Thread contract: everything on the loop's thread, which must outlive the server. Methods are added before the first
// listen(). Call handlers may not destroy the server. Destroying it closes all connections; handlers of running calls
// are destroyed without a callback.
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
  // SO_REUSEPORT: several servers share a port, and the kernel spreads connections over them.
  bool reuse_port = false;
  int backlog = 1024;
  // Limits that several servers share; nullptr: only ServerLimits::max_connections holds, for each.
  std::shared_ptr<ConnectionTable> connections;
  // A connection was closed at once, from the loop: "limit", "address_limit", or "descriptors" when accept found none.
  std::function<void(const char* reason)> on_refused;
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

  // "0.0.0.0", "::" (IPv6 only), "127.0.0.1" ...; port 0 picks a free one. Returns the port. May be called several
  // times, for several addresses.
  Result<uint16_t> listen(const std::string& address, uint16_t port);

  // Stops listening, tells every client to go away, waits for running calls, and closes; what still runs `grace_ns`
  // from now is cut. `done` is called when the last connection is closed (from the loop, later).
  void shutdown(int64_t grace_ns, std::function<void()> done);

  ServerStats stats() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace monitor::grpc

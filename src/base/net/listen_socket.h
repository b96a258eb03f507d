// TCP sockets that listen on a numeric address.
#pragma once

#include <cstdint>
#include <string>

#include "base/disk.h"
#include "base/net/address.h"
#include "base/result.h"

namespace monitor {

struct ListenOptions {
  int backlog = 512;
  // SO_REUSEPORT: several sockets of this process share the port.
  bool reuse_port = false;
  // An IPv6 socket accepts IPv4 as well, which matters for "::" only.
  bool dual_stack = false;
};

// A non-blocking socket that is bound to `address`. Errors say "WHAT: REASON"; kAlreadyExists if the port is taken,
// else kUnavailable.
Result<Fd> bind_tcp(const SocketAddress& address, const ListenOptions& options, const std::string& what);
// The same, and it listens.
Result<Fd> listen_tcp(const SocketAddress& address, const ListenOptions& options, const std::string& what);
// The port that the socket is bound to; 0 if `fd` is not a bound socket.
uint16_t bound_port(int fd);

}  // namespace monitor

// HOST:PORT as people write it, and the socket addresses of IPv4 and IPv6. Pure functions; names are resolved elsewhere
// (grpc/resolver.h).
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "base/result.h"

namespace monitor {

struct HostPort {
  std::string host;  // a name or a numeric address, without brackets
  uint16_t port = 0;

  // "host:port", "[v6]:port".
  std::string to_string() const;
};

// Listeners may use port 0: the kernel then picks a free one.
enum class PortZero { kRefused, kAllowed };
// "host:port", "[v6]:port"; without a port the result has `default_port`.
Result<HostPort> parse_host_port(const std::string& text, uint16_t default_port, PortZero zero = PortZero::kRefused);

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  uint16_t port() const;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  // gRPC's form: "ipv4:10.0.0.7:50051", "ipv6:[::1]:50051".
  std::string to_string() const;
};

// Numeric hosts only: "10.0.0.7", "::1" or "[::1]".
Result<SocketAddress> parse_socket_address(const std::string& host, uint16_t port);

}  // namespace monitor

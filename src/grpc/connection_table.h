// ConnectionTable: limits a server's connections, in total and by peer address, across all its loops. Thread-safe.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

#include "grpc/resolver.h"

namespace monitor::grpc {

struct ConnectionLimits {
  size_t total = 20'000;
  // Connections from one IPv4 address, or one IPv6 /64 network, since a host usually owns the whole network.
  size_t per_address = 4096;
  // Loopback connections count only towards the total.
  bool loopback_exempt = true;
};

class ConnectionTable {
 public:
  enum class Verdict { kWelcome, kTooMany, kTooManyFromAddress };

  explicit ConnectionTable(const ConnectionLimits& limits) : limits_(limits) {}

  // Each kWelcome must be followed by one leave() with the same address.
  Verdict enter(const SocketAddress& address);
  void leave(const SocketAddress& address);
  size_t open() const;
  const ConnectionLimits& limits() const { return limits_; }

 private:
  const ConnectionLimits limits_;
  mutable std::mutex mutex_;  // guards what follows
  size_t open_ = 0;
  std::unordered_map<std::string, size_t> by_address_;
};

// The key of the limit by address: 4 bytes for IPv4 (also IPv4-mapped IPv6), 8 for IPv6; empty for loopback.
std::string address_group(const SocketAddress& address);

}  // namespace monitor::grpc

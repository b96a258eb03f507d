// ConnectionTable: counts the connections of a server, over all its loops, in all and by the peer's address, against
// limits. Thread-safe.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

#include "grpc/resolver.h"

namespace monitor::grpc {

struct ConnectionLimits {
  size_t total = 20'000;
  // From one IPv4 address, or one IPv6 network of 64 bits: who has one address of it has all.
  size_t per_address = 4096;
  // Connections from this host count only in all.
  bool loopback_exempt = true;
};

class ConnectionTable {
 public:
  enum class Verdict { kWelcome, kTooMany, kTooManyFromAddress };

  explicit ConnectionTable(const ConnectionLimits& limits) : limits_(limits) {}

  // Each kWelcome is followed by one leave() with the same address.
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

// What a limit by address counts as one peer: 4 bytes of IPv4 (also when it is mapped into IPv6), 8 of IPv6; empty for
// the loopback addresses.
std::string address_group(const SocketAddress& address);

}  // namespace monitor::grpc

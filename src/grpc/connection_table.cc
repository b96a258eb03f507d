#include "grpc/connection_table.h"

#include <netinet/in.h>

#include <cstring>

namespace monitor::grpc {

namespace {

constexpr size_t kV4Bytes = 4;
constexpr size_t kV6NetworkBytes = 8;
constexpr size_t kMappedPrefix = 12;
constexpr char kLoopbackNet = 127;

std::string v4_group(const char* bytes) {
  return bytes[0] == kLoopbackNet ? std::string() : std::string(bytes, kV4Bytes);
}

// Loopback has the empty group. When limits apply to loopback as well, it gets a key that no address has.
std::string key_of(const SocketAddress& address, const ConnectionLimits& limits) {
  std::string group = address_group(address);
  if (group.empty() && !limits.loopback_exempt) group = "loopback";
  return group;
}

}  // namespace

std::string address_group(const SocketAddress& address) {
  if (address.family() == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address.storage, sizeof v4);
    char bytes[kV4Bytes];
    std::memcpy(bytes, &v4.sin_addr, sizeof bytes);
    return v4_group(bytes);
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address.storage, sizeof v6);
  char bytes[sizeof v6.sin6_addr];
  std::memcpy(bytes, &v6.sin6_addr, sizeof bytes);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return v4_group(bytes + kMappedPrefix);
  if (IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr)) return {};
  return {bytes, kV6NetworkBytes};
}

ConnectionTable::Verdict ConnectionTable::enter(const SocketAddress& address) {
  const std::string key = key_of(address, limits_);
  const std::lock_guard lock(mutex_);
  if (open_ >= limits_.total) return Verdict::kTooMany;
  if (!key.empty()) {
    size_t& count = by_address_[key];
    if (count >= limits_.per_address) return Verdict::kTooManyFromAddress;
    ++count;
  }
  ++open_;
  return Verdict::kWelcome;
}

void ConnectionTable::leave(const SocketAddress& address) {
  const std::string key = key_of(address, limits_);
  const std::lock_guard lock(mutex_);
  --open_;
  if (key.empty()) return;
  const auto found = by_address_.find(key);
  if (found == by_address_.end()) return;
  if (--found->second == 0) by_address_.erase(found);
}

size_t ConnectionTable::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

}  // namespace monitor::grpc

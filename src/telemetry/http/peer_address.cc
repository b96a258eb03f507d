#include "telemetry/http/peer_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

namespace monitor::telemetry {

namespace {

std::string text_of(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return inet_ntop(family, address, text.data(), text.size()) == nullptr ? "unknown" : std::string(text.data());
}

}  // namespace

PeerAddress peer_address(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    const std::string text = text_of(AF_INET, &v4.sin_addr);
    return {.text = fmt::format("{}:{}", text, ntohs(v4.sin_port)), .group = text};
  }
  if (address.ss_family != AF_INET6) return {.text = "unknown", .group = "unknown"};
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  constexpr size_t kMappedPrefix = 12;
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    const std::string text = text_of(AF_INET, &v6.sin6_addr.s6_addr[kMappedPrefix]);
    return {.text = fmt::format("{}:{}", text, ntohs(v6.sin6_port)), .group = text};
  }
  const std::string text = fmt::format("[{}]:{}", text_of(AF_INET6, &v6.sin6_addr), ntohs(v6.sin6_port));
  // Limits count a whole /64, because a host usually owns one and can use all its 2^64 source addresses.
  std::memset(&v6.sin6_addr.s6_addr[8], 0, 8);
  return {.text = text, .group = text_of(AF_INET6, &v6.sin6_addr) + "/64"};
}

}  // namespace monitor::telemetry

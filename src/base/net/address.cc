#include "base/net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <optional>

#include "base/host_name.h"
#include "base/text.h"

namespace monitor {

std::string HostPort::to_string() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]:" : host + ":") + std::to_string(port);
}

uint16_t SocketAddress::port() const {
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

std::string SocketAddress::to_string() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr, text, sizeof text);
    return "ipv6:[" + std::string(text) + "]:" + std::to_string(port());
  }
  inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr, text, sizeof text);
  return "ipv4:" + std::string(text) + ":" + std::to_string(port());
}

Result<SocketAddress> parse_socket_address(const std::string& host, uint16_t port) {
  SocketAddress address;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string bare = bracketed ? host.substr(1, host.size() - 2) : host;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (!bracketed && inet_pton(AF_INET, bare.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.length = sizeof(sockaddr_in);
    return address;
  }
  if (inet_pton(AF_INET6, bare.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.length = sizeof(sockaddr_in6);
    return address;
  }
  return Error(Code::kInvalidArgument, "not an IP address: " + json_quote(host));
}

Result<HostPort> parse_host_port(const std::string& text, uint16_t default_port, PortZero zero) {
  const Error bad(Code::kInvalidArgument, "got " + json_quote(text.substr(0, 300)) +
                                              ", expected HOST:PORT, as localhost:" + std::to_string(default_port) +
                                              " or [::1]:" + std::to_string(default_port));
  HostPort target{.host = text, .port = default_port};
  std::string port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string::npos) return bad;
    target.host = text.substr(1, end - 1);
    has_port = end + 1 < text.size();
    if (has_port && text[end + 1] != ':') return bad;
    if (has_port) port = text.substr(end + 2);
  } else if (const size_t colon = text.rfind(':'); colon != std::string::npos && text.find(':') == colon) {
    target.host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  if (!valid_host(target.host)) return bad;
  if (!has_port) return target;
  const std::optional<uint64_t> number = parse_u64(port);
  if (!number || *number > 65535 || (*number == 0 && zero == PortZero::kRefused)) return bad;
  target.port = static_cast<uint16_t>(*number);
  return target;
}

}  // namespace monitor

#include "base/net/loopback.h"

#include <netinet/in.h>

#include <string>

#include "base/net/address.h"

namespace monitor {

bool is_loopback_host(std::string_view host) {
  if (host == "localhost") return true;
  const auto address = parse_socket_address(std::string(host), 0);
  if (!address) return false;
  if (address->family() == AF_INET) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(address->get());
    return (ntohl(v4->sin_addr.s_addr) >> 24U) == IN_LOOPBACKNET;
  }
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(address->get())->sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == IN_LOOPBACKNET);
}

}  // namespace monitor

// PeerAddress: the address of a connection's peer, for messages and for limits. Pure functions.
#pragma once

#include <sys/socket.h>

#include <string>

namespace monitor::telemetry {

struct PeerAddress {
  std::string text;   // "192.0.2.7:51234", "[2001:db8::1]:51234"
  std::string group;  // what limits count: an IPv4 address, or the /64 of an IPv6 address
};

// An IPv4 address mapped into IPv6 counts as the IPv4 address.
PeerAddress peer_address(const sockaddr_storage& address);

}  // namespace monitor::telemetry

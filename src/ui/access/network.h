// Network: an IP network such as 10.0.0.0/8 or 2001:db8::/32, to name the proxies that are trusted. A value type.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor::access {

class Network {
 public:
  // ADDRESS or ADDRESS/PREFIX. kInvalidArgument, also if bits behind the prefix are set: 10.0.0.7/8 is a typo.
  static Result<Network> parse(std::string_view text);
  // `address` is numeric, with or without a port: "10.0.0.7", "10.0.0.7:80", "[::1]:80". An IPv4 address that is mapped
  // into IPv6 counts as the IPv4 address. False if it is malformed.
  bool contains(std::string_view address) const;

 private:
  using Bytes = std::array<unsigned char, 16>;  // IPv4 is mapped into IPv6
  Network(Bytes bytes, unsigned prefix) : bytes_(bytes), prefix_(prefix) {}
  bool contains(const Bytes& address) const;

  Bytes bytes_;
  unsigned prefix_;  // in bits of the mapped form
};

// What limits on attempts count as one client: an IPv4 address or an IPv6 /64 network. The address may have a port.
// Empty if it is none.
std::string limit_group(std::string_view address);

}  // namespace monitor::access

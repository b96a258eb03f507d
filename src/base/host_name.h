// What may stand for a host in HOST:PORT.
#pragma once

#include <string_view>

namespace monitor {

// A name, or an address of IPv4 or IPv6 (without brackets; with %SCOPE): 1 to 253 of letters, digits and ".-_:%".
// Whether there is such a host, a resolver says. Pure, thread-safe.
bool valid_host(std::string_view text);

}  // namespace monitor

// Validates the host in HOST:PORT.
#pragma once

#include <string_view>

namespace monitor {

// A name, or an IPv4 or IPv6 address without brackets, optionally with %SCOPE: 1 to 253 of letters, digits and ".-_:%".
// Does not resolve the host. Pure, thread-safe.
bool valid_host(std::string_view text);

}  // namespace monitor

// Hosts that never leave this machine, so that plain text to them is safe.
#pragma once

#include <string_view>

namespace monitor {

// "localhost", and literal addresses of 127.0.0.0/8 and ::1, with or without brackets. Other names are not resolved:
// what they resolve to may change.
bool is_loopback_host(std::string_view host);

}  // namespace monitor

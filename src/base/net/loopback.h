// Recognizes hosts that are this machine itself, so that plain text to them is safe.
#pragma once

#include <string_view>

namespace monitor {

// True for "localhost", and for literal addresses of 127.0.0.0/8 and ::1, with or without brackets. Other names are not
// resolved, because the result may change.
bool is_loopback_host(std::string_view host);

}  // namespace monitor

// The process's limit of open descriptors (RLIMIT_NOFILE). Connections, files and watches each take one.
#pragma once

#include <cstddef>

namespace monitor {

// Raises the soft limit to the hard limit, at most a million, and returns it. Call once at the start; child processes
// inherit it. On failure the limit stays.
size_t raise_descriptor_limit();

}  // namespace monitor

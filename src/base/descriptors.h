// The process's limit of open descriptors (RLIMIT_NOFILE). Connections, files and watches each take one.
#pragma once

#include <cstddef>

namespace monitor {

// Raises the soft limit to the hard one, up to a million, and returns it. Once, at the start of a program: children
// inherit it. Where that fails, the limit stays as it is.
size_t raise_descriptor_limit();

}  // namespace monitor

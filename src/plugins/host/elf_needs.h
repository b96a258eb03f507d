// Finds the libraries that an ELF file needs. Pure; the bytes are untrusted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::plugin_host {

// The names in DT_NEEDED. Only plain names are accepted. The loader looks them up in the system's library folders,
// unless the library that needs them has its own search path. Errors: a request that is not allowed (a path, an audit
// or filter library, an executable stack), or a damaged dynamic section. A file without a dynamic section needs no
// library.
Result<std::vector<std::string>> needed_libraries(std::string_view file);

}  // namespace monitor::plugin_host

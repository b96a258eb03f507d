// Which libraries an ELF file asks the loader for. Pure; the bytes may be anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::plugin_host {

// The names of DT_NEEDED. Only plain names are accepted: the loader looks those up in the system's library folders, as
// long as nobody opens them on behalf of a library with a search path of its own. Error: what the file asks for and
// cannot have (a path, an audit or filter library, an executable stack), or that its dynamic section is damaged.
// A file without a dynamic section needs nothing.
Result<std::vector<std::string>> needed_libraries(std::string_view file);

}  // namespace monitor::plugin_host

// Landlock: which files this process can reach. docs of the kernel: userspace-api/landlock.rst.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace monitor::plugin_host {

// From now on only what is below `readable` can be read (and mapped as code); nothing else of files, and, where the
// kernel knows how, no TCP and no signal to other processes. The version of the kernel's Landlock; 0: it has none, and
// nothing was restricted.
Result<uint32_t> restrict_files(const std::vector<std::string>& readable);

}  // namespace monitor::plugin_host

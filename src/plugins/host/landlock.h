// Landlock: restricts the files that this process can reach (kernel documentation: userspace-api/landlock.rst).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace monitor::plugin_host {

// From now on, only files below `readable` can be read and mapped as code. If the kernel supports it, TCP and signals
// to other processes are denied as well. Returns the version of the kernel's Landlock; 0: the kernel has none, and
// nothing was restricted.
Result<uint32_t> restrict_files(const std::vector<std::string>& readable);

}  // namespace monitor::plugin_host

// Landlock: which files this process can reach. docs of the kernel: userspace-api/landlock.rst.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace monitor::plugin_host {

// From now on only what is below `readable` can be read (and mapped as code); nothing else of files, and, where the
// kernel knows how, no TCP and no signal to other processes. kUnimplemented: the kernel has no Landlock.
Status restrict_files(const std::vector<std::string>& readable);

}  // namespace monitor::plugin_host

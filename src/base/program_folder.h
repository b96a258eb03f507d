// The folder of the running program. The programs of one installation lie in the same folder.
#pragma once

#include <string>

namespace monitor {

// Without a slash at the end; empty if /proc is not mounted. Can be called on any thread.
std::string program_folder();

}  // namespace monitor

// `monitor plugin new NAME`: creates a standalone plugin project.
#pragma once

#include <string>

#include "base/result.h"

namespace monitor {

// Writes the project to `folder`, which must not exist. `prefix`: where the SDK is installed.
Status write_project(const std::string& name, const std::string& folder, const std::string& prefix);

}  // namespace monitor

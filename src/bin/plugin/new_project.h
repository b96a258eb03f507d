// `monitor plugin new NAME`: a project that builds a plugin outside of this one.
#pragma once

#include <string>

#include "base/result.h"

namespace monitor {

// Writes it into `folder`, which must not be there yet. `prefix`: where the SDK is installed.
Status write_project(const std::string& name, const std::string& folder, const std::string& prefix);

}  // namespace monitor

// `monitor plugin new NAME`: creates a standalone plugin project.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace monitor {

enum class Language { kCpp, kPython, kLua };

struct NewProject {
  Language language = Language::kCpp;
  std::string name;
  std::string folder;  // must not exist
  std::string prefix;  // where the SDK is installed
  std::string python;  // the folder of the modules for plugins in Python
};
// Writes the project. Returns its files, relative to the folder.
Result<std::vector<std::string>> write_project(const NewProject& project);
// The name of a Python plugin in a configuration.
std::string python_name(const std::string& name);

}  // namespace monitor

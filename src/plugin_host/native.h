// A native plugin: a shared library with the interface of sdk/plugin.h.
#pragma once

#include <memory>
#include <string>

#include "plugin_host/instance.h"

namespace monitor::plugin_host {

// A library that was opened and speaks a version of the interface that is known.
class NativeLibrary;

// Opens it: its own code runs here for the first time. `name` is for errors. The file may be changed or removed
// afterwards: what runs is a copy of it.
Result<std::shared_ptr<NativeLibrary>> open_library(const std::string& path, const std::string& name);

std::unique_ptr<Instance> make_native(std::shared_ptr<NativeLibrary> library, Instance::Log log);

}  // namespace monitor::plugin_host

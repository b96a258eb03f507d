// Native plugins: shared libraries with the interface of sdk/plugin.h.
#pragma once

#include <memory>
#include <string>

#include "base/disk.h"
#include "plugins/host/instance.h"
#include "plugins/host/sandbox.h"

namespace monitor::plugin_host {

// An open library with a known version of the interface.
class NativeLibrary;

// Copies the file, so that nobody can change it between its check and its use. The path is looked up only once.
Result<Fd> copy_library(const std::string& path);

// Opens the system libraries that the copy needs, by name. This runs their code, but not the plugin's.
Status open_needed(const Fd& copy, const std::string& path);

// Opens the plugin. Its own code runs here for the first time, so the sandbox must be complete. `sandbox` passes the
// file to the loader. `path` and `name` are for errors.
Result<std::shared_ptr<NativeLibrary>> open_library(Fd copy, Sandbox& sandbox, const std::string& path,
                                                    const std::string& name);

std::unique_ptr<Instance> make_native(std::shared_ptr<NativeLibrary> library, Instance::Log log);

}  // namespace monitor::plugin_host

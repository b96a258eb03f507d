// A native plugin: a shared library with the interface of sdk/plugin.h.
#pragma once

#include <memory>
#include <string>

#include "base/disk.h"
#include "plugins/host/instance.h"
#include "plugins/host/sandbox.h"

namespace monitor::plugin_host {

// A library that was opened and speaks a version of the interface that is known.
class NativeLibrary;

// A copy of the file that nobody can change, so that what is checked is what runs; the path is looked up once.
Result<Fd> copy_library(const std::string& path);

// Opens the libraries of the system that the copy needs, by name: their code runs here, the plugin's does not.
Status open_needed(const Fd& copy, const std::string& path);

// Opens it: its own code runs here for the first time, so the sandbox is complete by now. `sandbox` lends the file to
// the loader. `path` and `name` are for errors.
Result<std::shared_ptr<NativeLibrary>> open_library(Fd copy, Sandbox& sandbox, const std::string& path,
                                                    const std::string& name);

std::unique_ptr<Instance> make_native(std::shared_ptr<NativeLibrary> library, Instance::Log log);

}  // namespace monitor::plugin_host

// A script: a plugin in Lua 5.4, in an interpreter of its own with nothing in it but what docs/plugins.md lists. It has
// so much memory and so many instructions a call, and no way to anything else.
#pragma once

#include <memory>

#include "plugins/host/instance.h"

namespace monitor::plugin_host {

std::unique_ptr<Instance> make_script(Instance::Log log);

}  // namespace monitor::plugin_host

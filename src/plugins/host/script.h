// Script: a plugin in Lua 5.4, in its own interpreter, which contains only the functions that docs/plugins.md lists.
// Its memory, and its work per call, are limited (lua_budget.h).
#pragma once

#include <memory>

#include "plugins/host/instance.h"

namespace monitor::plugin_host {

std::unique_ptr<Instance> make_script(Instance::Log log);

}  // namespace monitor::plugin_host

// Makes the plugins of monitor-plugin-host: native ones and scripts.
#pragma once

#include <memory>

#include "plugins/host/host.h"

namespace monitor::plugin_host {

// A Make (host.h). Errors: a plugin of another kind, one whose file cannot be loaded, a sandbox that cannot be
// complete.
Result<std::unique_ptr<Instance>> make_native_or_script(const plugin_wire::Load& load, Sandbox& sandbox,
                                                        const Confine& confine, const Instance::Log& log);

}  // namespace monitor::plugin_host

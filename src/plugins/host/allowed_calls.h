// The system calls that a plugin host may make, as an allow list: what is not named ends the process.
#pragma once

#include "plugins/host/seccomp_filter.h"

namespace monitor::plugin_host {

// While the system's libraries are opened that a plugin needs, before any of its own code runs: files can be opened for
// reading (Landlock says which), code can be mapped, and the sandbox can be completed.
void allow_loading(SeccompFilter& filter);

// While a plugin's code runs, its constructors included. Code can be mapped from the descriptor `library` alone (-1:
// from none), never written to, and nothing can be opened.
void allow_plugin(SeccompFilter& filter, int library, bool threads);

}  // namespace monitor::plugin_host

// The allow list of system calls of a plugin host. Any other call ends the process.
#pragma once

#include "plugins/host/seccomp_filter.h"

namespace monitor::plugin_host {

// While the system libraries that a plugin needs are opened, before any of its own code runs: files can be opened for
// reading (restricted by Landlock), code can be mapped, and the sandbox can be completed.
void allow_loading(SeccompFilter& filter);

// While a plugin's code runs, its constructors included. Code can be mapped from the descriptor `library` alone (-1:
// from none), never written to, and nothing can be opened.
void allow_plugin(SeccompFilter& filter, int library, bool threads);

}  // namespace monitor::plugin_host

// The allow list of system calls of a plugin host. Any other call ends the process.
#pragma once

#include "plugins/host/seccomp_filter.h"

namespace monitor::plugin_host {

// Rules for the time in which the system libraries of a plugin are opened, before any of its own code runs. Files can
// be opened for reading (restricted by Landlock), code can be mapped, and the sandbox can be completed.
void allow_loading(SeccompFilter& filter);

// Rules for the time in which a plugin's code runs, including its constructors. Code can be mapped only from the
// descriptor `library` (-1: not at all) and never written to, and nothing can be opened.
void allow_plugin(SeccompFilter& filter, int library, bool threads);

}  // namespace monitor::plugin_host

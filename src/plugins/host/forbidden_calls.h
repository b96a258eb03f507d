// Handles system calls that the filter rejects: the kernel raises SIGSYS in the calling thread. Two of these calls are
// answered here, without a system call that a plugin could misuse. Every other one ends the process, after a report to
// the agent.
//
// Uses global state, because a signal handler has no other. One sandbox per process.
#pragma once

#include "base/result.h"

namespace monitor::plugin_host {

// Installs the handler, which sends its report to `channel` as plugin_wire::Type::kLastWords. Call it while there is
// one thread.
Status handle_forbidden_calls(int channel);

// The next call that opens a file gets this descriptor, whatever the path is: the dynamic loader opens a library by
// name, when no file may be opened any more. -1 cancels it.
void lend_to_next_open(int fd);

}  // namespace monitor::plugin_host

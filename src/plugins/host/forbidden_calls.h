// Handles system calls that the filter rejects: the kernel raises SIGSYS in the calling thread. Two of these calls are
// emulated here with calls that a plugin cannot misuse. Any other call ends the process, after a report to the agent.
//
// Uses global state, because a signal handler has nothing else. One sandbox per process.
#pragma once

#include "base/result.h"

namespace monitor::plugin_host {

// Installs the handler, which sends its report to `channel` as plugin_wire::Type::kLastWords. Call while the process
// has a single thread.
// `refuse`: calls that look for files or make descriptors fail with EACCES instead of ending the process.
Status handle_forbidden_calls(int channel, bool refuse);

// The next call that opens a file gets this descriptor, whatever the path. The dynamic loader opens a library by name,
// at a time when no file may be opened any more. -1 cancels this.
void lend_to_next_open(int fd);

}  // namespace monitor::plugin_host

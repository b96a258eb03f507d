// What becomes of system calls that the filter does not let through: the kernel raises SIGSYS in the thread that made
// the call. Two of them get an answer here, without any call to the kernel that a plugin could misuse; every other one
// ends the process, after telling the agent which call it was.
//
// State of the process, since a signal handler has no other; one sandbox a process.
#pragma once

#include "base/result.h"

namespace monitor::plugin_host {

// Installs the handler. What it says goes to `channel` as plugin_wire::Type::kLastWords. Call it while there is one
// thread.
Status handle_forbidden_calls(int channel);

// The next call to open a file gets this descriptor, whatever its path: the dynamic loader opens a library by name,
// where no file may be opened any more. -1 takes the offer back.
void lend_to_next_open(int fd);

}  // namespace monitor::plugin_host

// `monitor up`: checks its options and the machine, writes --interval into the configuration, and runs the programs of
// up_programs.h until a signal. Other programs of this user find the system by the files of bin/common/running.h.
#pragma once

#include "bin/common/cli.h"
#include "bin/up/up_flags.h"

namespace monitor {

// Signals must be blocked (block_signals()). Returns the exit status: that of a program that a restart cannot help, or
// of what failed before any program ran.
int run_up(Cli& cli, UpFlags flags);

}  // namespace monitor

// Gives memory back that only an earlier phase of the program needed, such as its start.
#pragma once

namespace monitor {

// Takes the read-only pages of the program and its libraries out of this process: code, constants, unwind tables. The
// kernel maps a page again, from its cache or from the file, when the program touches it next. This costs a fault of
// about a microsecond for each 64 KiB in use. Pages that the process has written, such as relocated tables, stay.
//
// Any thread. Breakpoints that a debugger has set before are lost.
void release_program_pages();

// Returns free memory of the heap to the kernel.
void release_free_heap();

}  // namespace monitor

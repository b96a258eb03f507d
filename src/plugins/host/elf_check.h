// Checks that an ELF file is complete before the loader maps it. The loader would map a truncated library (an aborted
// copy, a full disk) beyond its end, and reading there raises SIGBUS.
#pragma once

#include <cstdint>
#include <string>

namespace monitor::plugin_host {

// Describes what a truncated 64-bit ELF file lacks. Empty if the file is complete, or is not a 64-bit ELF file; the
// loader's own error is better in that case.
std::string missing_of_elf(int fd, uint64_t size);

}  // namespace monitor::plugin_host

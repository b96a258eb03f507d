// Checks that an ELF file is complete before the loader maps it. The loader would map a truncated library (an aborted
// copy, a full disk) beyond its end, and reading there raises SIGBUS.
#pragma once

#include <cstdint>
#include <string>

namespace monitor::plugin_host {

// What a 64-bit ELF file lacks. Empty if it is complete, or not such a file, which the loader reports better.
std::string missing_of_elf(int fd, uint64_t size);

}  // namespace monitor::plugin_host

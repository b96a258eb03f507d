// Whether a file is whole, before the loader maps it: of a library that was cut off (a copy that was broken off, a full
// disk) it maps what is not there, and whoever reads that gets SIGBUS.
#pragma once

#include <cstdint>
#include <string>

namespace monitor::plugin_host {

// What is missing of an ELF file of 64 bits; empty: nothing, or it is no such file, which the loader says better.
std::string missing_of_elf(int fd, uint64_t size);

}  // namespace monitor::plugin_host

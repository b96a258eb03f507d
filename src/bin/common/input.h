// Reads the input of a program: a file or standard input.
#pragma once

#include <cstddef>
#include <string>

#include "base/disk.h"
#include "base/result.h"

namespace monitor {

// Reads a file; "-" is standard input. kResourceExhausted above `max_bytes`.
Result<std::string> read_input(Disk& disk, const std::string& file, size_t max_bytes);

}  // namespace monitor

// What a program is given to read: a file, or standard input.
#pragma once

#include <cstddef>
#include <string>

#include "base/disk.h"
#include "base/result.h"

namespace monitor {

// "-" is standard input. kResourceExhausted where there is more than `max_bytes`.
Result<std::string> read_input(Disk& disk, const std::string& file, size_t max_bytes);

}  // namespace monitor

// Parses and prints sizes in bytes. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor {

// "1048576", or with a unit: B, KiB, MiB, GiB, TiB (powers of 1024), kB, MB, GB, TB (powers of 1000).
Result<uint64_t> parse_size(std::string_view text);
// With one decimal and a unit of 1024: "1.0 GiB".
std::string format_size(uint64_t bytes);

}  // namespace monitor

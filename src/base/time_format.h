// Parses and prints times and durations. Pure functions; times are nanoseconds since the Unix epoch, UTC.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor {

// RFC 3339 in UTC with the given number of decimals (0 to 9): 2026-11-22T12:00:00.123456789Z.
std::string format_rfc3339(int64_t wall_ns, int decimals = 9);
// Any offset, up to nine decimals.
Result<int64_t> parse_rfc3339(std::string_view text);

// "5", "0.1" (seconds) or with a unit: ns, us, ms, s, m, h, d. Also a sum: "1h30m". Never negative.
Result<int64_t> parse_duration(std::string_view text);
// The shortest form that parses back: 5s, 250ms, 1h30m.
std::string format_duration(int64_t ns);

}  // namespace monitor

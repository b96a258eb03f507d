// Durations as PromQL writes them: "1h30m", "250ms".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace monitor::query {

// Milliseconds. The units are y (365 d), w, d, h, m, s and ms, each at most once and in this order. Returns
// nothing for any other text, and for durations above 2^63 - 1 ms.
std::optional<int64_t> parse_duration_ms(std::string_view text);

// "1h30m"; "0s" for 0.
std::string format_duration_ms(int64_t ms);

}  // namespace monitor::query

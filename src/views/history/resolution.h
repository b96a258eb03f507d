// The resolutions in which history is stored and requested. Full has every value. The others have, for each series and
// bucket of time, the number of values, the smallest, the largest, and the sum.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace monitor::analysis {

enum class Resolution : uint8_t { kFull = 0, kSecond = 1, kTenSeconds = 2, kMinute = 3, kHour = 4 };

inline constexpr std::array kResolutions = {Resolution::kFull, Resolution::kSecond, Resolution::kTenSeconds,
                                            Resolution::kMinute, Resolution::kHour};
// Resolutions with rows of their own. Full has different rows, and 1 s is computed from those on request.
inline constexpr std::array kReduced = {Resolution::kTenSeconds, Resolution::kMinute, Resolution::kHour};

inline constexpr int64_t kHourNs = 3600 * kNanosPerSecond;
inline constexpr int64_t kDayNs = 24 * kHourNs;

// Width of a bucket; 0 for full.
constexpr int64_t width_ns(Resolution resolution) {
  switch (resolution) {
    case Resolution::kFull:
      return 0;
    case Resolution::kSecond:
      return kNanosPerSecond;
    case Resolution::kTenSeconds:
      return 10 * kNanosPerSecond;
    case Resolution::kMinute:
      return 60 * kNanosPerSecond;
    case Resolution::kHour:
      return kHourNs;
  }
  return 0;
}

// Whether the values come from the ticks themselves, and not from reduced rows.
constexpr bool from_ticks(Resolution resolution) { return width_ns(resolution) < width_ns(kReduced[0]); }

constexpr std::string_view to_string(Resolution resolution) {
  constexpr std::array<std::string_view, 5> kNames = {"full", "1s", "10s", "1m", "1h"};
  return kNames[static_cast<size_t>(resolution)];
}

constexpr std::optional<Resolution> parse_resolution(std::string_view text) {
  for (const Resolution one : kResolutions) {
    if (to_string(one) == text) return one;
  }
  return std::nullopt;
}

// The start of the bucket that contains a time; also correct before 1970. `width` must not be 0.
constexpr int64_t bucket_of(int64_t time_ns, int64_t width) {
  const int64_t rest = width == 0 ? 0 : time_ns % width;
  return time_ns - (rest < 0 ? rest + width : rest);
}

}  // namespace monitor::analysis

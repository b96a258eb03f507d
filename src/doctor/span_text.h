// Measured times for people. Pure function.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace monitor::doctor {

// "2.1 s", "300.0 us": a measurement is never exact, so one unit and one decimal are enough.
inline std::string span_text(int64_t ns) {
  const auto value = static_cast<double>(ns);
  if (ns >= kNanosPerSecond) return fmt::format("{:.1f} s", value / kNanosPerSecond);
  if (ns >= kNanosPerMilli) return fmt::format("{:.1f} ms", value / kNanosPerMilli);
  return fmt::format("{:.1f} us", value / 1000);
}

}  // namespace monitor::doctor

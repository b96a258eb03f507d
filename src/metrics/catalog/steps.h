// Exponents of declared metrics whose values have small steps, and options that a collector reads by number. Not in
// spec.h, which most of the program includes.
#pragma once

#include "metrics/catalog/spec.h"

namespace monitor::metrics {

inline constexpr int kThousandths = -3;  // millidegrees, millivolts, rates of events
inline constexpr int kMillionths = -6;   // microseconds, microjoules, microwatts

inline constexpr OptionSpec kMostContainers = {
    .name = "most",
    .type = OptionSpec::Type::kCount,
    .count = {.usual = 1000, .min = 1, .max = 10'000},
    .since = "0.2.0",
    .description = "How many containers have series. Those beyond are counted by container.omitted.count, and logged"};

}  // namespace monitor::metrics

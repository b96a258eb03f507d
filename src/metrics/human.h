// Formats values for people. The page writes the same texts (web/src/human.ts): both take units and scales from
// units.json, and both are tested with human_vectors.tsv. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "metrics/series.h"

namespace monitor::metrics {

// "12.3 %" for shares, "9.60 GB" for bytes, "1.20 MB/s" for rates, "35 min" for seconds; any other value with its unit.
// "-" for NaN and infinity. 1 MB is 2^20 bytes.
std::string human_value(const Series& series, double value);

// "340 ms", "9.5 s", "34 s", "35 min", "5 h", "9 d". Negative durations count as 0.
std::string duration(double seconds);

// How many base units a unit of a scale has: unit_size("MB") is 2^20. 0 if no scale has the unit.
double unit_size(std::string_view word);

// Rounded, with digits in groups of three: 9,830
std::string grouped(double value);

}  // namespace monitor::metrics

// Values as people read them.
#pragma once

#include <string>
#include <string_view>

#include "metrics/series.h"

namespace monitor::metrics {

// "12.3 %" for shares, "9.60 GB" for bytes, "1.20 MB/s" for rates, "35 min" for seconds, else the number and its unit;
// "-" for what is no number. MB is 2^20 bytes. The page shows the same (web/src/human.ts).
std::string human_value(const Series& series, double value);

// Digits in groups of three: 9,830
std::string grouped(double value);

}  // namespace monitor::metrics

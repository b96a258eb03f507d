// Values as people read them.
#pragma once

#include <string>
#include <string_view>

namespace monitor::metrics {

// "9,830 MB" for bytes, "1.20 MB/s" for rates, else the number and its unit (none for unit 1). MB is 2^20 bytes.
std::string human_value(double value, std::string_view unit);

// Digits in groups of three: 9,830
std::string grouped(double value);

}  // namespace monitor::metrics

#include "metrics/human.h"

#include <fmt/format.h>

#include <cmath>

namespace monitor::metrics {

namespace {

constexpr double kMiB = 1024.0 * 1024.0;

}  // namespace

std::string grouped(double value) {
  std::string digits = fmt::format("{:.0f}", std::fabs(value));
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return (value <= -0.5 ? "-" : "") + digits;
}

std::string human_value(double value, std::string_view unit) {
  if (!std::isfinite(value)) return "-";
  if (unit == "By") return grouped(value / kMiB) + " MB";
  if (unit == "By/s") return fmt::format("{:.2f} MB/s", value / kMiB);
  if (unit == "1") return fmt::format("{:.4g}", value);
  return fmt::format("{:.6g} {}", value, unit);
}

}  // namespace monitor::metrics

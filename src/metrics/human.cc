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

std::string human_value(const Series& series, double value) {
  const std::string_view name = series.name;
  const std::string_view unit = series.unit;
  if (!std::isfinite(value)) return "-";
  if (unit == "1" && (name.ends_with("utilization") || name.ends_with("stall"))) return fmt::format("{:.1f} %", value * 100);
  if (unit == "By") return grouped(value / kMiB) + " MB";
  if (unit == "By/s") return fmt::format("{:.2f} MB/s", value / kMiB);
  if (unit == "1") return fmt::format("{:.4g}", value);
  return fmt::format("{:.6g} {}", value, unit);
}

}  // namespace monitor::metrics

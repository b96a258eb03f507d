#include "metrics/series_limits.h"

#include <fmt/format.h>

#include "base/crc32c.h"
#include "base/text.h"
#include "metrics/decode.h"

namespace monitor::metrics {

namespace {

constexpr BatchLimits kLimits;
constexpr int kMostExponent = 18;

std::string cut(std::string_view text) {
  std::string result = sanitize_utf8(text);
  if (result.size() <= kLimits.value_bytes) return result;
  const std::string end = fmt::format("...{:08x}", crc32c(text));
  result.resize(kLimits.value_bytes - end.size());
  // Do not cut inside a UTF-8 character.
  while (!result.empty() && !valid_utf8(result)) result.pop_back();
  return result + end;
}

std::string fault_of_name(std::string_view what, std::string_view name) {
  if (name.size() > kLimits.name_bytes) {
    return fmt::format("{} has {} bytes, the limit is {}", what, name.size(), kLimits.name_bytes);
  }
  return valid_utf8(name) ? "" : fmt::format("{} is not valid UTF-8", what);
}

}  // namespace

bool fit_labels(Series& series) {
  bool changed = false;
  for (auto& [key, value] : series.labels) {
    if (value.size() <= kLimits.value_bytes && valid_utf8(value)) continue;
    value = cut(value);
    changed = true;
  }
  return changed;
}

std::string fault_of(const Series& series) {
  if (series.name.empty()) return "it has no name";
  if (series.labels.size() > kLimits.labels) {
    return fmt::format("it has {} labels, the limit is {}", series.labels.size(), kLimits.labels);
  }
  if (series.integer && (series.exponent < -kMostExponent || series.exponent > kMostExponent)) {
    return fmt::format("its exponent is {}, the limits are -{} and {}", series.exponent, kMostExponent, kMostExponent);
  }
  if (std::string fault = fault_of_name("its name", series.name); !fault.empty()) return fault;
  if (std::string fault = fault_of_name("its unit", series.unit); !fault.empty()) return fault;
  for (const auto& [key, value] : series.labels) {
    if (key.empty()) return "a label has no name";
    if (std::string fault = fault_of_name("a label's name", key); !fault.empty()) return fault;
  }
  return "";
}

}  // namespace monitor::metrics

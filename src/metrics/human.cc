#include "metrics/human.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "metrics/units_table.h"

namespace monitor::metrics {

namespace {

// web/src/human.ts performs the same operations in the same order, so that both write the same digits. Units, scales
// and limits come from units.json.

double power(int digits) {
  double out = 1;
  for (int i = 0; i < digits; ++i) out *= 10;
  return out;
}

double rounded(double value, int digits) { return std::floor(value * power(digits) + 0.5); }

// `value` must not be negative, and be less than kExponentFrom.
std::string fixed(double value, int digits) {
  std::string out = fmt::format("{:0{}.0f}", rounded(value, digits), digits + 1);
  if (digits > 0) out.insert(out.size() - static_cast<size_t>(digits), ".");
  return out;
}

// How many decimals show a number with `digits` significant digits.
int decimals(double value, int digits) {
  int out = digits - 1;
  for (double limit = 10; value >= limit && out > 0; limit *= 10) --out;
  for (double limit = 1; value < limit && out < 10; limit /= 10) ++out;
  // 9.996 is shown as 10.0.
  return out > 0 && rounded(value, out) >= power(digits) ? out - 1 : out;
}

std::string stripped(std::string text) {
  if (text.find('.') == std::string::npos) return text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string group(std::string digits) {
  for (size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

// 1.234e-5
std::string exponential(double value) {
  const std::string text = fmt::format("{:.3e}", value);
  const size_t e = text.find('e');
  return fmt::format("{}e{:+}", stripped(text.substr(0, e)), std::stoi(text.substr(e + 1)));
}

std::string number(double value) {
  if (value == 0) return "0";
  if (value < kExponentBelow || value >= kExponentFrom) return exponential(value);
  if (value >= 999.95) return group(fixed(value, 0));
  return stripped(fixed(value, decimals(value, 4)));
}

std::string bytes(double value) {
  // Switches to the next unit where rounding would reach it.
  size_t step = 0;
  while (step + 1 < kByteSteps.size() && rounded(value / kByteSteps[step].size, 0) >= 1024) ++step;
  const auto [word, size] = kByteSteps[step];
  const double scaled = value / size;
  if (scaled >= kExponentFrom) return fmt::format("{} {}", exponential(scaled), word);
  const int digits = step == 0 ? 0 : decimals(scaled, 3);
  return fmt::format("{} {}", digits == 0 ? group(fixed(scaled, 0)) : fixed(scaled, digits), word);
}

// Switches to the next unit at two of it. Below one second there is only the first unit.
UnitStep time_step(double value) {
  if (value < 1) return kTimeSteps[0];
  size_t step = 1;
  while (step + 1 < kTimeSteps.size() && value >= 2 * kTimeSteps[step + 1].size) ++step;
  return kTimeSteps[step];
}

// `value` must not be negative.
std::string with_unit(const Series& series, double value) {
  const std::string_view unit = series.unit;
  const auto* const known = std::ranges::find(kUnits, unit, &Unit::unit);
  if (known != kUnits.end()) {
    return (known->scale == "bytes" ? bytes(value) : duration(value)) + std::string(known->suffix);
  }
  if (unit.empty() || unit == "1" || unit.starts_with('{')) return number(value);
  return number(value) + " " + series.unit;
}

bool is_share(const Series& series) {
  return series.unit == "1" &&
         std::ranges::any_of(kShares, [&](std::string_view end) { return series.name.ends_with(end); });
}

std::string share(double value) {
  const double percent = value * 100;
  return (percent < kExponentFrom ? fixed(percent, 1) : exponential(percent)) + " %";
}

}  // namespace

double unit_size(std::string_view word) {
  for (const std::span<const UnitStep> steps :
       {std::span<const UnitStep>(kByteSteps), std::span<const UnitStep>(kTimeSteps)}) {
    for (const UnitStep& step : steps) {
      if (step.word == word) return step.size;
    }
  }
  return 0;
}

std::string duration(double seconds) {
  if (seconds <= 0) return "0 s";
  const auto [word, size] = time_step(seconds);
  if (seconds < 1) return fmt::format("{} {}", number(seconds / size), word);
  if (seconds < 10) return fmt::format("{} {}", fixed(seconds, 1), word);
  const double scaled = seconds / size;
  return fmt::format("{} {}", scaled >= kExponentFrom ? exponential(scaled) : group(fixed(scaled, 0)), word);
}

std::string grouped(double value) {
  const std::string digits = group(fmt::format("{:.0f}", std::fabs(value)));
  return (value <= -0.5 ? "-" : "") + digits;
}

std::string human_value(const Series& series, double value) {
  if (!std::isfinite(value)) return "-";
  const double size = std::fabs(value);
  const std::string text = is_share(series) ? share(size) : with_unit(series, size);
  const bool zero = text.find_first_of("123456789") == std::string::npos;
  return value < 0 && !zero ? "-" + text : text;
}

}  // namespace monitor::metrics

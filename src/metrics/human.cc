#include "metrics/human.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>

namespace monitor::metrics {

namespace {

// web/src/human.ts does the same, operation by operation, so that both write the same digits; human_vectors.tsv holds
// them to it.

struct Step {
  const char* word;
  double size;
};
constexpr std::array<Step, 6> kBytes = {
    {{"B", 1}, {"KB", 1024}, {"MB", 0x1p20}, {"GB", 0x1p30}, {"TB", 0x1p40}, {"PB", 0x1p50}}};
constexpr std::array<Step, 5> kTimes = {{{"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}}};

constexpr double kLeast = 1e-4;  // what is less, or more than kMost, has an exponent
constexpr double kMost = 1e15;

double power(int digits) {
  double out = 1;
  for (int i = 0; i < digits; ++i) out *= 10;
  return out;
}

double rounded(double value, int digits) { return std::floor(value * power(digits) + 0.5); }

// Of what is not negative, and below kMost.
std::string fixed(double value, int digits) {
  std::string out = fmt::format("{:0{}.0f}", rounded(value, digits), digits + 1);
  if (digits > 0) out.insert(out.size() - static_cast<size_t>(digits), ".");
  return out;
}

// Decimals of a number that is to have so many digits.
int decimals(double value, int digits) {
  int out = digits - 1;
  for (double limit = 10; value >= limit && out > 0; limit *= 10) --out;
  for (double limit = 1; value < limit && out < 10; limit /= 10) ++out;
  // 9.996 is 10.0
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
  if (value < kLeast || value >= kMost) return exponential(value);
  if (value >= 999.95) return group(fixed(value, 0));
  return stripped(fixed(value, decimals(value, 4)));
}

std::string bytes(double value) {
  // The next unit from where this one would be rounded up to it.
  size_t step = 0;
  while (step + 1 < kBytes.size() && rounded(value / kBytes[step].size, 0) >= 1024) ++step;
  const double scaled = value / kBytes[step].size;
  if (scaled >= kMost) return exponential(scaled) + " " + kBytes[step].word;
  const int digits = step == 0 ? 0 : decimals(scaled, 3);
  return fmt::format("{} {}", digits == 0 ? group(fixed(scaled, 0)) : fixed(scaled, digits), kBytes[step].word);
}

// "340 ms", "9.5 s", "34 s", "35 min", "5 h", "9 d": the next unit when there are two of it.
std::string duration(double value) {
  if (value == 0) return "0 s";
  if (value < 1) return number(value / kTimes[0].size) + " ms";
  if (value < 10) return fixed(value, 1) + " s";
  size_t step = 1;
  while (step + 1 < kTimes.size() && value >= 2 * kTimes[step + 1].size) ++step;
  const double scaled = value / kTimes[step].size;
  return (scaled >= kMost ? exponential(scaled) : group(fixed(scaled, 0))) + " " + kTimes[step].word;
}

// Of what is not negative.
std::string with_unit(const Series& series, double value) {
  const std::string_view unit = series.unit;
  if (unit == "By") return bytes(value);
  if (unit == "By/s") return bytes(value) + "/s";
  if (unit == "s") return duration(value);
  if (unit.empty() || unit == "1" || unit.starts_with('{')) return number(value);
  return number(value) + " " + series.unit;
}

bool is_share(const Series& series) {
  return series.unit == "1" && (series.name.ends_with("utilization") || series.name.ends_with("stall"));
}

}  // namespace

std::string grouped(double value) {
  const std::string digits = group(fmt::format("{:.0f}", std::fabs(value)));
  return (value <= -0.5 ? "-" : "") + digits;
}

std::string human_value(const Series& series, double value) {
  if (!std::isfinite(value)) return "-";
  const double size = std::fabs(value);
  std::string text = is_share(series) ? (size * 100 < kMost ? fixed(size * 100, 1) : exponential(size * 100)) + " %"
                                      : with_unit(series, size);
  const bool zero = text.find_first_of("123456789") == std::string::npos;
  return value < 0 && !zero ? "-" + text : text;
}

}  // namespace monitor::metrics

#include "payload/forms.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/scaled_quotient.h"

namespace monitor::payload {

namespace {

constexpr uint64_t kNanos = 1'000'000'000;
constexpr double kMostExact = 9'007'199'254'740'992;  // 2^53: every integer up to here is a double
// Exact, as every power of ten up to 10^22 is.
constexpr std::array<double, kMostDecimals + 1> kPowers = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                           1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

uint64_t unit_of(Form form) {
  switch (form) {
    case Form::kSectors:
    case Form::kSectorRate:
      return 512;
    case Form::kKib:
    case Form::kKibRate:
      return 1024;
    case Form::kPages:
    case Form::kPageRate:
      return 4096;
    default:
      return 1;
  }
}

}  // namespace

bool is_known(uint64_t form) {
  return form <= static_cast<uint64_t>(Form::kBits) || (form >= static_cast<uint64_t>(Form::kDecimal) &&
                                                        form <= static_cast<uint64_t>(Form::kDecimal) + kMostDecimals);
}

bool fits_integer(Form form) { return form <= Form::kShare; }

std::optional<int64_t> value_of(Form form, uint64_t integer, int64_t elapsed_ns) {
  if (form == Form::kSigned) return static_cast<int64_t>(integer);
  const auto whole = static_cast<unsigned __int128>(integer) * unit_of(form);
  if (is_rate(form)) {
    if (whole > UINT64_MAX) return std::nullopt;
    return elapsed_ns <= 0 ? 0
                           : scaled_quotient(static_cast<uint64_t>(whole), kNanos, static_cast<uint64_t>(elapsed_ns));
  }
  if (whole > INT64_MAX) return std::nullopt;
  return static_cast<int64_t>(whole);
}

bool fits_growth(Form form, uint64_t growth) {
  return static_cast<unsigned __int128>(growth) * unit_of(form) <= UINT64_MAX;
}

std::optional<uint64_t> integer_of(Form form, int64_t value, int64_t elapsed_ns) {
  if (form == Form::kSigned) return static_cast<uint64_t>(value);
  if (value < 0) return std::nullopt;
  const uint64_t unit = unit_of(form);
  auto integer = static_cast<uint64_t>(value) / unit;
  if (is_rate(form)) {
    if (elapsed_ns <= 0) return value == 0 ? std::optional<uint64_t>(0) : std::nullopt;
    const auto growth = static_cast<unsigned __int128>(value) * static_cast<uint64_t>(elapsed_ns);
    const auto nearest = (growth + unit * kNanos / 2) / (static_cast<unsigned __int128>(unit) * kNanos);
    if (nearest > UINT64_MAX) return std::nullopt;
    integer = static_cast<uint64_t>(nearest);
  }
  return value_of(form, integer, elapsed_ns) == value ? std::optional(integer) : std::nullopt;
}

double double_of(Form form, uint64_t integer) {
  if (form == Form::kBits) return std::bit_cast<double>(integer);
  const auto decimals = static_cast<size_t>(form) - static_cast<size_t>(Form::kDecimal);
  return static_cast<double>(static_cast<int64_t>(integer)) / kPowers[decimals];
}

std::optional<uint64_t> integer_of(Form form, double value) {
  if (form == Form::kBits) return std::bit_cast<uint64_t>(value);
  const double scaled = std::round(value * kPowers[static_cast<size_t>(form) - static_cast<size_t>(Form::kDecimal)]);
  if (!(std::fabs(scaled) <= kMostExact)) return std::nullopt;
  const auto integer = static_cast<uint64_t>(static_cast<int64_t>(scaled));
  // By their bits: -0 is not 0.
  const bool same = std::bit_cast<uint64_t>(double_of(form, integer)) == std::bit_cast<uint64_t>(value);
  return same ? std::optional(integer) : std::nullopt;
}

std::optional<int64_t> share_of(int64_t part, int64_t whole) {
  if (part < 0 || whole < 0) return std::nullopt;
  return scaled_quotient(static_cast<uint64_t>(std::min(part, whole)), 10'000, static_cast<uint64_t>(whole));
}

}  // namespace monitor::payload

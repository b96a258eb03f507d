// The buckets of DDSketch: how values map to them, and back. Internal to ddsketch.cc.
//
// With x = 2^e (1 + s), f(x) = e + A s^3 + B s^2 + C s approximates log2(x), with A = 6/35, B = -3/5, C = 10/7. The
// slope x f'(x) is never below 10/7 (its minima are at s = 0 and s = 2/3), so a bucket of width 1/m in f spans a factor
// of at most exp(7 / (10 m)). For a relative error a, this factor must be gamma = (1 + a) / (1 - a), so
// m = 7 / (10 ln gamma).
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace monitor::sketch::mapping {

inline constexpr double kA = 6.0 / 35;
inline constexpr double kB = -3.0 / 5;
inline constexpr double kC = 10.0 / 7;

// ln(1.01 / 0.99); std::log() is not constexpr.
inline constexpr double kLogGamma = 0.020000666706669525;
inline constexpr double kMultiplier = 7 / (10 * kLogGamma);

inline constexpr unsigned kMantissaBits = 52;
inline constexpr uint64_t kMantissaMask = (uint64_t{1} << kMantissaBits) - 1;
inline constexpr uint64_t kOneBits = uint64_t{1023} << kMantissaBits;
// Below the exponent of the smallest denormal, so that f is never negative and a cast rounds down.
inline constexpr int kLowestExponent = -1080;
inline constexpr int32_t kHighestKey = static_cast<int32_t>((1024 - kLowestExponent) * kMultiplier) + 1;

// `bits` of a positive normal number; `shift` is added to its exponent.
inline int32_t key_of(uint64_t bits, int64_t shift = 0) {
  const auto exponent = static_cast<int64_t>(bits >> kMantissaBits) - 1023 - kLowestExponent + shift;
  const double s = std::bit_cast<double>((bits & kMantissaMask) | kOneBits) - 1;
  const double f = static_cast<double>(exponent) + s * (kC + s * (kB + s * kA));
  return static_cast<int32_t>(f * kMultiplier);
}

// The value x with f(x) = y, for y of at most some hundreds.
inline double value_of(double y) {
  const double whole = std::floor(y);
  const double rest = y - whole;
  double s = rest;
  // Newton's method: the slope is between 30/35 and 50/35, so it converges in a few steps, after which only the last
  // bit may still change.
  for (int i = 0; i < 8; ++i) {
    const double error = s * (kC + s * (kB + s * kA)) - rest;
    s -= error / (kC + s * (2 * kB + s * 3 * kA));
    if (std::fabs(error) < 1e-9) break;  // its square is below the precision
  }
  return std::ldexp(1 + s, static_cast<int>(whole));
}

}  // namespace monitor::sketch::mapping

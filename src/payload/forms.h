// Computations: how a reader gets a value from the integer in the record (docs/payload-v2.md, "Computations"). An agent
// does not carry the kernel's integers beside its values. The encoder finds an integer from the value, computes the
// value from it as a reader will, and uses the integer only if the result has the same bits. A value that a plugin has
// changed or made therefore needs no mark: it travels as it is. Pure functions.
#pragma once

#include <cstdint>
#include <optional>

namespace monitor::payload {

// The numbers are part of the format.
enum class Form : uint8_t {
  kSigned = 0,   // the integer itself
  kCount = 1,    // the same, never negative
  kSectors = 2,  // x 512
  kKib = 3,      // x 1024
  kPages = 4,    // x 4096
  kRate = 5,     // growth a second, rounded
  kSectorRate = 6,
  kKibRate = 7,
  kPageRate = 8,
  kShare = 9,     // of two other series; has no integers of its own
  kBits = 10,     // a double as it is
  kDecimal = 16,  // to kDecimal + kMostDecimals: a double, integer / 10^(form - 16)
};
inline constexpr int kMostDecimals = 15;

bool is_known(uint64_t form);
bool fits_integer(Form form);  // otherwise it is for doubles
inline bool is_rate(Form form) { return form >= Form::kRate && form <= Form::kPageRate; }
inline bool is_signed(Form form) { return form == Form::kSigned || form >= Form::kDecimal; }

// The value of an integer series; nothing if it does not fit into 64 bits. `elapsed_ns` is the frame's.
std::optional<int64_t> value_of(Form form, uint64_t integer, int64_t elapsed_ns);
// Whether a rate can be computed from this growth, which is_rate(form) counts in its unit.
bool fits_growth(Form form, uint64_t growth);
// The inverse: an integer whose value_of() is exactly `value`.
std::optional<uint64_t> integer_of(Form form, int64_t value, int64_t elapsed_ns);

// As above, of a series of doubles. The forms are kBits and kDecimal on.
double double_of(Form form, uint64_t integer);
std::optional<uint64_t> integer_of(Form form, double value);

// part / whole in ten-thousandths, limited to 1; 0 if whole is 0. Nothing if one of them is negative.
std::optional<int64_t> share_of(int64_t part, int64_t whole);

}  // namespace monitor::payload

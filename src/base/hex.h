// Hexadecimal digits and byte strings. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace monitor {

// The lower-case digit of the lowest four bits.
constexpr char hex_digit(unsigned value) { return "0123456789abcdef"[value & 0xFU]; }
// The value (0 to 15) of a digit in either case; -1 if `c` is not a digit.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Writes two digits a byte to `out`, without allocating.
constexpr void hex_to(std::string_view bytes, char* out) {
  for (const char c : bytes) {
    *out++ = hex_digit(static_cast<unsigned char>(c) >> 4U);
    *out++ = hex_digit(static_cast<unsigned char>(c));
  }
}
std::string hex(std::string_view bytes);
// Nothing if `text` is not an even number of hexadecimal digits.
std::optional<std::string> unhex(std::string_view text);

}  // namespace monitor

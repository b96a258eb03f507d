// What the user does: keys and the mouse.
#pragma once

#include <cstddef>
#include <cstdint>

namespace monitor::analysis::top {

// Keys that are not characters. Smaller numbers are bytes of UTF-8.
enum Key : int {
  kUp = 0x110000,
  kDown,
  kPageUp,
  kPageDown,
  kHome,
  kEnd,
  kLeft,
  kRight,
  kEnter,
  kEscape,
  kBackspace,
  kTab,
  kOther,  // has no meaning here
};

struct Mouse {
  enum class Kind : uint8_t { kPress, kWheelUp, kWheelDown };
  Kind kind = Kind::kPress;
  size_t column = 0;  // from the left, 0 is the first
  size_t row = 0;     // from the top
};

}  // namespace monitor::analysis::top

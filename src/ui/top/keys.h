// What the user does: keys and the mouse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

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

// By how many lines a key moves in a list of which `page` lines are shown; nothing if it does not move. To the first
// and the last line it is more than any list has.
std::optional<long> movement(int key, long page);

struct Mouse {
  enum class Kind : uint8_t { kPress, kWheelUp, kWheelDown };
  Kind kind = Kind::kPress;
  size_t column = 0;  // from the left, 0 is the first
  size_t row = 0;     // from the top
};

}  // namespace monitor::analysis::top

// Screen: the terminal as `top` uses it, so that tests can replace it. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "ui/top/cells.h"
#include "ui/top/keys.h"

namespace monitor::analysis::top {

struct Event {
  enum class Kind : uint8_t {
    kNone,  // nothing has happened; next_event() does not wait
    kKey,
    kMouse,
    kRedraw,  // the size has changed, or the program was stopped and continues
    kGone,    // the terminal has been closed
  };
  Kind kind = Kind::kNone;
  int key = 0;
  Mouse mouse = {};
};

class Screen {
 public:
  virtual ~Screen() = default;
  virtual Size size() const = 0;
  // Whether it shows UTF-8.
  virtual bool utf8() const = 0;
  virtual Event next_event() = 0;
  virtual void show(const std::vector<Line>& lines) = 0;
};

}  // namespace monitor::analysis::top

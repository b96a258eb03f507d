// The terminal of standard input and output, with ncurses. It is restored when the screen is destroyed, and while the
// program is stopped (Ctrl-Z). One at a time.
#pragma once

#include <memory>

#include "base/result.h"
#include "ui/top/screen.h"

namespace monitor::analysis::top {

struct CursesOptions {
  bool mouse = true;
};

// Colours follow TERM and NO_COLOR; UTF-8 follows the locale. kUnavailable: TERM is unknown, or names a terminal that
// cannot place its cursor.
Result<std::unique_ptr<Screen>> open_curses_screen(const CursesOptions& options);

}  // namespace monitor::analysis::top

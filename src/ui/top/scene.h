// What `top` draws from, and how large the screen is. Valid for one drawing.
#pragma once

#include <cstdint>

#include "ui/top/alerts.h"
#include "ui/top/cells.h"
#include "ui/top/series_past.h"
#include "ui/top/unusual.h"
#include "views/fleet/fleet.h"

namespace monitor::analysis::top {

struct Scene {
  const Fleet& fleet;
  const AlertList& alerts;
  const SeriesPast& past;
  const Servers& servers;
  const UnusualShares& unusual;
  int64_t now_ns = 0;
  Size size;
  bool utf8 = true;

  // Ends a text that is cut off.
  const char* cut() const { return utf8 ? "…" : "~"; }
};

}  // namespace monitor::analysis::top

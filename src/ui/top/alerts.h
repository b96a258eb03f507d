// The alerts that `top` shows, and their lines. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ui/top/cells.h"

namespace monitor::analysis::top {

// As `monitor-analysis alert list` shows it.
struct AlertItem {
  std::string name;
  std::string agent;   // of its labels; empty: it is about no single agent
  std::string labels;  // the others, for people
  std::string summary;
  double value = 0;
  int64_t since_ms = 0;
  bool firing = false;  // else pending
  std::string quiet;    // what keeps it quiet: silences, other alerts; empty: nothing
};

struct AlertList {
  std::vector<AlertItem> items;  // firing ones first
  std::string trouble;           // why they are unknown; empty: they are known
};

struct AlertCounts {
  size_t firing = 0;
  size_t pending = 0;
};
AlertCounts count(const AlertList& alerts);
// "2 firing, 1 pending"; empty if there are none.
Line alert_counts(const AlertList& alerts);

Line alert_header(size_t width);
Line alert_line(const AlertItem& alert, int64_t now_ns, size_t width, bool chosen);
// What is shown if there are no alerts.
std::string no_alerts(const AlertList& alerts);

}  // namespace monitor::analysis::top

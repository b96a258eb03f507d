#include <array>

#include "ui/top/command.h"
#include "ui/top/lists.h"

namespace monitor::analysis::top {

namespace {

constexpr std::array kKeys = {
    "up down j k g G    choose a row          page up, page down, home, end",
    "Enter, click       open the row; Tab: its next section; Esc: back",
    "s < >, heading     sort by another column            r   reverse the order",
    "/                  filter: part of a name, rack=a, state=late, * and ?",
    "a alerts           c columns            p space pause            ? h help",
    ":                  a command, Tab completes it                   q   quit",
};

constexpr std::array kStates = {
    "alive; late: behind its interval; spooling: batches wait in its spool;",
    "silent: alive, but collects nothing; stopped: ended cleanly;",
    "gone: no data for 30 s; unknown: no server writes to the log",
};

}  // namespace

std::vector<Line> help_lines(Size size) {
  std::vector<Line> lines;
  lines.push_back({{"monitor-analysis top", Paint::kBold}});
  for (const char* const text : kKeys) lines.push_back({{text}});
  lines.push_back({});
  for (const std::string& text : command_help()) lines.push_back({{text}});
  lines.push_back({});
  for (const char* const text : kStates) lines.push_back({{text, Paint::kDim}});
  for (Line& line : lines) clip(line, size.columns);
  return lines;
}

}  // namespace monitor::analysis::top

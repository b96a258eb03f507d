#include "supervisor/log_line.h"

#include <array>

#include "base/text.h"
#include "base/time_format.h"

namespace monitor::supervisor {

namespace {

struct Parts {
  std::string_view level;
  std::string_view event;
};

Parts parts_of(std::string_view line) {
  constexpr std::array<std::string_view, 4> kLevels = {"DEBUG", "INFO", "WARNING", "ERROR"};
  const size_t time = line.find(' ');
  if (time == std::string_view::npos || !parse_rfc3339(line.substr(0, time))) return {};
  const std::string_view rest = line.substr(time + 1);
  const size_t level = rest.find(' ');
  if (level == std::string_view::npos) return {};
  for (const std::string_view known : kLevels) {
    if (rest.substr(0, level) == known) return {rest.substr(0, level), rest.substr(level + 1)};
  }
  return {};
}

}  // namespace

std::string_view level_of(std::string_view line) { return parts_of(line).level; }
std::string_view event_of(std::string_view line) { return parts_of(line).event; }

}  // namespace monitor::supervisor

// Parses a log line of a program, as written by base/log.h. The event is identified by its position after time and
// level, because field values may contain anything, even text that looks like an event. Pure functions.
#pragma once

#include <string_view>

namespace monitor::supervisor {

// The level ("ERROR"), or nothing if the line is not a log line.
std::string_view level_of(std::string_view line);
// The event and its fields: everything after time and level. Empty if the line is not a log line.
std::string_view event_of(std::string_view line);

}  // namespace monitor::supervisor

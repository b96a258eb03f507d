// A line of a program's log as base/log.h writes it, read from its beginning. What a program says is known by where it
// stands: behind time and level comes the event, and only then come fields, whose values may be anybody's and look like
// any event. Pure functions.
#pragma once

#include <string_view>

namespace monitor::supervisor {

// The level ("ERROR"), or nothing for a line that is none of a log.
std::string_view level_of(std::string_view line);
// The event and its fields: all behind time and level. Empty for a line that is none of a log.
std::string_view event_of(std::string_view line);

}  // namespace monitor::supervisor

// Lines of the log of who changed what.
#pragma once

#include <initializer_list>
#include <string_view>

#include "base/log.h"

namespace monitor {

// As log_info(), and never held back, however many there are: otherwise whoever makes many changes could hide one of
// them. Thread-safe.
void log_audit(std::string_view event, std::initializer_list<LogField> fields);

}  // namespace monitor

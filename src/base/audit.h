// Log lines that record who changed what.
#pragma once

#include <initializer_list>
#include <string_view>

#include "base/log.h"

namespace monitor {

// Like log_info() without rate limiting: otherwise many changes could hide one of them. Thread-safe.
void log_audit(std::string_view event, std::initializer_list<LogField> fields);

}  // namespace monitor

// Where reading a metric log starts, as given with --from.
#pragma once

#include <string_view>

#include "base/result.h"
#include "metriclog/log.h"

namespace monitor::metriclog {

// Parses "latest", "earliest", an RFC 3339 time, or an age: "-10m" starts ten minutes before the log's last record.
Result<StartAt> parse_start(std::string_view text, int64_t now_ns);

}  // namespace monitor::metriclog

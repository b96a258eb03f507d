// The address of a metric log, as given by --log.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "metriclog/log.h"

namespace monitor::metriclog {

struct LogAddress {
  enum class Kind { kSqlite };
  Kind kind = Kind::kSqlite;
  std::string path;
};

// "sqlite:PATH"
Result<LogAddress> parse_log_address(std::string_view text);

// "latest", "earliest", an RFC 3339 time, or an age: "-10m" starts ten minutes before the log's last record.
Result<StartAt> parse_start(std::string_view text, int64_t now_ns);

}  // namespace monitor::metriclog

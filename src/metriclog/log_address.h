// Where a metric log is, as --log names it.
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

// "latest", "earliest", a time in RFC 3339, or an age: "-10m" is what the log took in the last ten minutes.
Result<StartAt> parse_start(std::string_view text, int64_t now_ns);

}  // namespace monitor::metriclog

// The backends by the scheme of their addresses. Internal to open.cc.
#pragma once

#include <memory>
#include <string_view>

#include "metriclog/open/open.h"

namespace monitor::metriclog {

// `rest` is the address after the scheme's colon.
using OpenBackend = Result<std::unique_ptr<Log>> (*)(std::string_view rest, const LogSettings& settings);

Result<std::unique_ptr<Log>> open_sqlite(std::string_view rest, const LogSettings& settings);
Result<std::unique_ptr<Log>> open_kafka(std::string_view rest, const LogSettings& settings);

}  // namespace monitor::metriclog

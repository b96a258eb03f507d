// Reads ticks from JSON lines, as printed by `monitor-analysis get-metrics --format json` and `monitor-agent --once
// --format json`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metrics/series.h"

namespace monitor {

// Values are read as doubles. Errors name the line.
Result<std::vector<metrics::Tick>> parse_recorded(std::string_view text, metrics::SeriesTable& table);

}  // namespace monitor

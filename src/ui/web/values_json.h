// Parts of the API's JSON that several routes share. Pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "metrics/series.h"

namespace monitor::analysis::web {

// Unix seconds, to the microsecond.
std::string seconds_json(int64_t ns);
// The same, but null for 0, which means no time.
std::string time_json(int64_t ns);
std::string labels_json(const metrics::Labels& labels);

}  // namespace monitor::analysis::web

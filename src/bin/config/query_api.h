// The HTTP API of Prometheus as a source of series: what `monitor-analysis serve` answers below /api/v1. It asks for
// raw samples, so that a query is evaluated here. Follows no redirects. One thread; calls block for at most 30 s.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "query/series.h"

namespace monitor {

// kInvalidArgument: not an address such as http://HOST:8080.
Result<std::unique_ptr<query::SeriesSource>> open_query_api(const std::string& url, const std::string& token);

}  // namespace monitor

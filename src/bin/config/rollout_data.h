// Where a rollout's judgements read: the history file of a data folder, or the HTTP API of `monitor-analysis serve`.
// One thread.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "query/series.h"

namespace monitor {

// `data`: file:PATH, http://... or https://... `token`: for the API; empty: none. Errors: there is no such history, it
// cannot be read, or the address is not valid. An API that does not answer is an error of the first query.
Result<std::unique_ptr<query::SeriesSource>> open_rollout_data(const std::string& data, const std::string& token);

}  // namespace monitor

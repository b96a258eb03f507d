// Parses answers of Prometheus' HTTP API, for judgements that read their data from there. Pure functions on foreign
// bytes.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/series.h"

namespace monitor::config::rollout {

// The series of an answer to a query of a range vector. For bytes from outside. kInvalidArgument: not such an answer;
// kUnavailable: an error that the API reports.
Result<std::vector<query::StoredSeries>> parse_query_answer(std::string_view body);

}  // namespace monitor::config::rollout

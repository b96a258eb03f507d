// The result of a query as the "data" of Prometheus' HTTP API
// (https://prometheus.io/docs/prometheus/latest/querying/api/#expression-query-result-formats).
#pragma once

#include <string>

#include "query/evaluator.h"

namespace monitor::query {

// One JSON object. `range`: whether it was a range query; its vectors are then a "matrix". Values are strings, so that
// NaN and the infinities can be written; times are seconds.
std::string to_json(const QueryResult& result, const QueryTimes& times, bool range);

// As Prometheus writes a value: "1.5", "NaN", "+Inf", "1e+100".
std::string value_text(double value);

}  // namespace monitor::query

// The result of a query as the "data" of Prometheus' HTTP API
// (https://prometheus.io/docs/prometheus/latest/querying/api/#expression-query-result-formats). Pure functions.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "query/evaluator.h"

namespace monitor::query {

// One JSON object, as Prometheus writes it. `range`: true for a range query, whose
// vectors are a "matrix".
// Values are strings, so that NaN and the infinities can be written; times are seconds.
std::string to_json(const QueryResult& result, const QueryTimes& times, bool range);

// The same, appended to `out`. Errors: kResourceExhausted once `out` has more than `most` bytes.
Status append_json(const QueryResult& result, const QueryTimes& times, bool range, size_t most, std::string& out);

// {"__name__":"up","job":"api"}
std::string labels_json(const Labels& labels);

// As Go prints a value: "1.5", "NaN", "+Inf", "1e+100".
std::string value_text(double value);
// As Prometheus' API writes a value, without quotes; small values have no exponent before 1e-06.
std::string api_value_text(double value);

}  // namespace monitor::query

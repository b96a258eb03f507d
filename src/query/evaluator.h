// Evaluates a parsed query, as Prometheus 3 does with delayed removal of metric names.
//
// A query is evaluated at every step at once: an expression's value is a set of columns, with one value a step.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/ast.h"
#include "query/series.h"

namespace monitor::query {

// The moments of evaluation: start, start + step, ... up to end. An instant query has start == end.
struct QueryTimes {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
  int64_t step_ms = 1;  // at least 1
};

// Bounds the cost of one query. A query beyond a limit ends with kResourceExhausted; the message names the limit.
struct QueryLimits {
  size_t max_steps = 11'000;
  size_t max_series = 100'000;      // of any of its parts
  size_t max_samples = 20'000'000;  // read and computed, all parts together; 8 to 16 bytes each
  // Bounds the memory of the query's samples and labels at any time, approximately. The source may take as much again
  // while it reads.
  size_t max_bytes = size_t{512} << 20;
  // Called regularly during the evaluation; an error ends the query. Used for timeouts and disconnected clients.
  std::function<Status()> check = {};
};

struct QueryOptions {
  int64_t lookback_ms = 300'000;      // how long a sample counts, unless a newer one or a staleness marker follows
  int64_t subquery_step_ms = 60'000;  // of a subquery that names none
  QueryLimits limits = {};
  std::string_view text = {};  // of the query, for the places in annotations
};

struct ResultSeries {
  Labels labels;
  std::vector<Point> points;
};

// A kScalar has one series without labels, a kString has a text. An instant vector's series have one point each; those
// of a range query have one for each step that has a value.
struct QueryResult {
  ValueType type = ValueType::kScalar;
  std::vector<ResultSeries> series = {};
  std::string text = {};
  size_t samples = 0;     // read and computed
  size_t peak_bytes = 0;  // of the samples and labels that were held at one time
  // Warnings and notes about the result, in Prometheus' words; each text once.
  std::vector<std::string> warnings = {};
  std::vector<std::string> infos = {};
};

// The expression and the source must outlive the call. A range vector is possible in an instant query only. Errors:
// kInvalidArgument for a query that cannot be evaluated (ambiguous matches, equal label sets), kResourceExhausted for a
// limit; the source's.
Result<QueryResult> evaluate(const Expression& expression, SeriesSource& source, const QueryTimes& times,
                             const QueryOptions& options = {});

}  // namespace monitor::query

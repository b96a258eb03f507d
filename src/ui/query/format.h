// Prints the result of a query. Pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "query/evaluator.h"

namespace monitor::analysis {

enum class QueryFormat : uint8_t {
  kTable,  // an instant query: a line for each series; a range query: each series' smallest, mean, largest and last
           // value
  kJson,   // the "data" of Prometheus' HTTP API
  kCsv,    // a line for each value, with a header
  kPlot    // a curve for each series, drawn with braille characters
};

struct QueryPrint {
  QueryFormat format = QueryFormat::kTable;
  query::QueryTimes times;
  bool range = false;
  size_t columns = 80;  // of the terminal
};

std::string to_text(const query::QueryResult& result, const QueryPrint& print);

}  // namespace monitor::analysis

// The parts of an aggregation, such as sum by (job) (up), apart from its arguments.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "query/ast.h"
#include "query/token_stream.h"

namespace monitor::query {

struct AggregateSpec {
  std::string_view name;
  AggregateOp op;
  bool has_parameter;
};

// All aggregations; they live as long as the program.
std::span<const AggregateSpec> all_aggregates();
// `word` is in lower case. Null if no aggregation has this name.
const AggregateSpec* find_aggregate(std::string_view word);

// Parses by (...) or without (...) if the next token begins one. Sets `grouped` then; an error if it was set already.
Status parse_grouping(TokenStream& tokens, Aggregation& aggregation, bool& grouped);

// Checks that the parameter and the argument have the types that the aggregation needs. Errors as parse().
Status check_aggregation(const TokenStream& tokens, const Aggregation& aggregation, const AggregateSpec& spec);

}  // namespace monitor::query

// The parser of PromQL (https://prometheus.io/docs/prometheus/latest/querying/basics/), as in Prometheus 3, without
// native histograms and experimental syntax.
#pragma once

#include <string_view>

#include "base/result.h"
#include "query/ast.h"

namespace monitor::query {

inline constexpr size_t kMaxQueryBytes = 64 << 10;
inline constexpr int kMaxNesting = 200;
inline constexpr int kMaxOperators = 2000;
// Of selectors; each may take a millisecond to compile, and each series is compared with it.
inline constexpr size_t kMaxRegexes = 100;

// The tree, checked for types. Errors begin with the place ("1:5: ..."):
//   kInvalidArgument: the query is not valid;
//   kUnimplemented: Prometheus supports this part and this program does not; the message names it.
Result<ExpressionPtr> parse(std::string_view query);

// The conditions of a selector alone, such as {job="api"} or up{job="api"}, for `match[]` parameters.
Result<std::vector<Matcher>> parse_selector(std::string_view selector);

}  // namespace monitor::query

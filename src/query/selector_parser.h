// Parses the parts of a selector: conditions in braces, lists of labels, durations in brackets, `@` and `offset`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/ast.h"
#include "query/token_stream.h"

namespace monitor::query {

// Call at a metric's name or at "{". Errors as parse().
Result<std::vector<Matcher>> parse_matchers(TokenStream& tokens);

// Call at "(": (job, "host.name").
Result<std::vector<std::string>> parse_label_list(TokenStream& tokens);

// A duration, or a number of seconds, in milliseconds.
Result<int64_t> parse_duration(TokenStream& tokens, std::string_view where);

struct Brackets {
  int64_t range_ms = 0;
  bool subquery = false;
  std::optional<int64_t> step_ms;
};
// Call at "[": [5m], [1h:] or [1h:1m].
Result<Brackets> parse_brackets(TokenStream& tokens);

// Parses "@ ..." and "offset ..." in either order, each at most once, if they are there.
Result<TimeShift> parse_time_shift(TokenStream& tokens);

}  // namespace monitor::query

// Conditions on the labels of an alert, as Alertmanager writes them: severity="page", agent=~"web-.*", team!=db. Pure
// functions; fuzzed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/labels.h"
#include "query/matcher.h"

namespace monitor::notify {

using Matchers = std::vector<query::Matcher>;

inline constexpr size_t kMaxMatcherBytes = 4096;
inline constexpr size_t kMaxMatchers = 64;

// One condition. The value may be in double quotes, with \" \\ and \n; without them, it ends at the end of the text and
// may contain none of {}!=~,\'"` and spaces. Errors: kInvalidArgument, with the column.
Result<query::Matcher> parse_matcher(std::string_view text);

// One condition or several, separated by commas, with or without braces: {a="1", b!~"x.*"}.
Result<Matchers> parse_matcher_list(std::string_view text);

// True if all conditions hold; the value of a missing label is "".
bool matches_all(std::span<const query::Matcher> matchers, const query::Labels& labels);

// {agent=~"web-.*", severity="page"}
std::string to_string(std::span<const query::Matcher> matchers);

}  // namespace monitor::notify

#include "ui/web/rule_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"

namespace monitor::analysis::web {

namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

Error bad_parameter(const char* name, const std::string& why) {
  return Error(Code::kInvalidArgument, fmt::format("invalid parameter \"{}\": {}", name, why));
}

// As Go's strconv.ParseBool, in any case.
std::optional<bool> bool_of(const std::string& text) {
  for (const char* const one : {"1", "t", "true"}) {
    if (text == one) return true;
  }
  for (const char* const one : {"", "0", "f", "false"}) {
    if (text == one) return false;
  }
  return std::nullopt;
}

}  // namespace

Result<RuleFilter> read_rule_filter(const PromParameters& parameters) {
  RuleFilter filter;
  filter.type = lower(parameters.first("type"));
  if (!filter.type.empty() && filter.type != "alert" && filter.type != "record") {
    return bad_parameter("type", "not supported value " + json_quote(filter.type.substr(0, 64)));
  }
  auto selectors = parameters.selectors();
  if (!selectors) return selectors.error();
  filter.selectors = std::move(*selectors);
  const auto exclude = bool_of(lower(parameters.first("exclude_alerts")));
  if (!exclude) return bad_parameter("exclude_alerts", "expected true or false");
  filter.exclude_alerts = *exclude;
  const auto limit = parameters.count("group_limit");
  if (!limit) return limit.error();
  filter.group_limit = *limit;
  filter.next_token = parameters.first("group_next_token");
  if (*limit == 0 && !parameters.first("group_limit").empty()) {
    return bad_parameter("group_limit", "group_limit needs to be greater than 0");
  }
  if (*limit == 0 && !filter.next_token.empty()) {
    return bad_parameter("group_next_token", "group_limit needs to be present in order to paginate over the groups");
  }
  filter.names = parameters.all("rule_name[]");
  filter.groups = parameters.all("rule_group[]");
  filter.files = parameters.all("file[]");
  return filter;
}

}  // namespace monitor::analysis::web

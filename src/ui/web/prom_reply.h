// The answers of the Prometheus API: {"status":"success","data":...} and {"status":"error","errorType":...}. Pure
// functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/matcher.h"
#include "rules/rule_status.h"
#include "ui/web/http.h"

namespace monitor::analysis::web {

// `data` is JSON.
Reply prom_success(const std::string& data, const std::vector<std::string>& warnings = {},
                   const std::vector<std::string>& infos = {});
// `type`: bad_data, execution, timeout, canceled, unavailable, not_found or internal; it decides the HTTP status.
Reply prom_error(std::string_view type, const std::string& message);
// A request that is not valid: 400.
Reply prom_bad_data(const Error& error);
// An evaluation that failed: 422, 503 or 500.
Reply prom_failure(const Error& error);

// Which rules an answer has.
struct RuleFilter {
  std::string type = {};  // "alert", "record"; empty: both
  std::vector<std::string> names = {};
  std::vector<std::string> groups = {};
  std::vector<std::string> files = {};
  std::vector<std::vector<query::Matcher>> selectors = {};  // one of them finds the rule's labels; empty: any rule
  bool exclude_alerts = false;
  size_t group_limit = 0;       // 0: none
  std::string next_token = {};  // where to go on, from an earlier answer
};
// Pages of groups as Prometheus gives them. kInvalidArgument: there is no group with this token.
Result<std::string> rules_json(const std::vector<rules::GroupStatus>& groups, const RuleFilter& filter);
std::string alerts_json(const std::vector<rules::GroupStatus>& groups);

// The declared metrics in both spellings, {"name":[{"type","help","unit"}]}. An empty `metric`: all. `limit` 0: no
// limit.
std::string metadata_json(std::string_view metric, size_t limit);

}  // namespace monitor::analysis::web

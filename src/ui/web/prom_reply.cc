#include "ui/web/prom_reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/hash64.h"
#include "base/text.h"
#include "base/time_format.h"
#include "metrics/catalog/catalog.h"
#include "metrics/prometheus_names.h"
#include "query/json.h"

namespace monitor::analysis::web {

namespace {

using rules::Alert;
using rules::AlertState;
using rules::GroupStatus;
using rules::RuleStatus;

std::string texts_json(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ",") + json_quote(text);
  return "[" + out + "]";
}

// The zero of Go's times stands for "never".
std::string time_text(int64_t ms) { return ms == 0 ? "0001-01-01T00:00:00Z" : format_rfc3339(ms * 1'000'000, 3); }

std::string annotations_json(const std::vector<std::pair<std::string, std::string>>& annotations) {
  std::string out;
  for (const auto& [name, text] : annotations) {
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", json_quote(name), json_quote(text));
  }
  return "{" + out + "}";
}

std::string_view to_string(AlertState state) { return state == AlertState::kFiring ? "firing" : "pending"; }

bool active(const Alert& alert) { return alert.state != AlertState::kResolved; }

// As Go's 'e' format: 1e+00.
std::string alert_value(double value) {
  std::string text = query::api_value_text(value);
  if (text.find_first_of("eNI") != std::string::npos) return text;
  text = fmt::format("{:.17e}", value);
  // The fewest digits that read back as the same value.
  for (int digits = 0; digits < 17; ++digits) {
    std::string shorter = fmt::format("{:.{}e}", value, digits);
    if (parse_double(shorter) == value) return shorter;
  }
  return text;
}

std::string alert_json(const Alert& alert) {
  return fmt::format(R"({{"labels":{},"annotations":{},"state":"{}","activeAt":{},"value":{}}})",
                     query::labels_json(alert.labels), annotations_json(alert.annotations), to_string(alert.state),
                     json_quote(time_text(alert.active_at_ms)), json_quote(alert_value(alert.value)));
}

std::string alerts_of(const std::vector<Alert>& alerts) {
  std::string out;
  for (const Alert& alert : alerts) {
    if (active(alert)) out += (out.empty() ? "" : ",") + alert_json(alert);
  }
  return "[" + out + "]";
}

std::string_view state_of(const RuleStatus& rule) {
  const auto is = [&](AlertState state) {
    return std::ranges::find(rule.alerts, state, &Alert::state) != rule.alerts.end();
  };
  return is(AlertState::kFiring) ? "firing" : is(AlertState::kPending) ? "pending" : "inactive";
}

std::string rule_json(const RuleStatus& rule, bool exclude_alerts) {
  std::string out = "{";
  if (rule.alerting) out += fmt::format(R"("state":"{}",)", state_of(rule));
  out += fmt::format(R"("name":{},"query":{},)", json_quote(rule.name), json_quote(rule.expression));
  if (rule.alerting) {
    out += fmt::format(R"("duration":{},"keepFiringFor":{},)", json_number(static_cast<double>(rule.for_ms) / 1000),
                       json_number(static_cast<double>(rule.keep_firing_for_ms) / 1000));
  }
  out += fmt::format(R"("labels":{},)", query::labels_json(rule.labels));
  if (rule.alerting) {
    out += fmt::format(R"("annotations":{},"alerts":{},)", annotations_json(rule.annotations),
                       exclude_alerts ? "[]" : alerts_of(rule.alerts));
  }
  const char* const health = !rule.error.empty() ? "err" : rule.evaluated_at_ms == 0 ? "unknown" : "ok";
  out += fmt::format(R"("health":"{}",)", health);
  if (!rule.error.empty()) out += fmt::format(R"("lastError":{},)", json_quote(rule.error));
  return out + fmt::format(R"("evaluationTime":{},"lastEvaluation":{},"type":"{}"}})",
                           json_number(rule.evaluation_seconds), json_quote(time_text(rule.evaluated_at_ms)),
                           rule.alerting ? "alerting" : "recording");
}

bool among(const std::string& text, const std::vector<std::string>& wanted) {
  return wanted.empty() || std::ranges::find(wanted, text) != wanted.end();
}

bool fulfils(const query::Labels& labels, const std::vector<query::Matcher>& matchers) {
  return std::ranges::all_of(matchers, [&](const query::Matcher& one) { return one.matches(labels.get(one.label())); });
}

std::string token_of(const GroupStatus& group) {
  return fmt::format("{:016x}", hash64(HashKey{}, group.file + ";" + group.name));
}

bool wanted(const RuleStatus& rule, const RuleFilter& filter) {
  const auto& selectors = filter.selectors;
  if (!selectors.empty() &&
      std::ranges::none_of(selectors, [&rule](const auto& one) { return fulfils(rule.labels, one); })) {
    return false;
  }
  if (!filter.type.empty() && rule.alerting != (filter.type == "alert")) return false;
  return among(rule.name, filter.names);
}

std::string group_json(const GroupStatus& group, const std::string& rules) {
  return fmt::format(
      R"({{"name":{},"file":{},"rules":[{}],"interval":{},"limit":{},"evaluationTime":{},"lastEvaluation":{}}})",
      json_quote(group.name), json_quote(group.file), rules, json_number(static_cast<double>(group.interval_ms) / 1000),
      group.limit, json_number(group.evaluation_seconds), json_quote(time_text(group.evaluated_at_ms)));
}

struct ErrorType {
  std::string_view name;
  unsigned status;
};
constexpr std::array<ErrorType, 7> kErrorTypes = {{{"bad_data", 400},
                                                   {"execution", 422},
                                                   {"timeout", 503},
                                                   {"canceled", 503},
                                                   {"unavailable", 503},
                                                   {"not_found", 404},
                                                   {"internal", 500}}};

std::string_view type_of(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
    case Code::kUnimplemented:
    case Code::kResourceExhausted:
    case Code::kOutOfRange:
      return "execution";
    case Code::kDeadlineExceeded:
      return "timeout";
    case Code::kCancelled:
      return "canceled";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kNotFound:
      return "not_found";
    default:
      return "internal";
  }
}

}  // namespace

Reply prom_success(const std::string& data, const std::vector<std::string>& warnings,
                   const std::vector<std::string>& infos) {
  std::string out = R"({"status":"success","data":)" + data;
  if (!warnings.empty()) out += R"(,"warnings":)" + texts_json(warnings);
  if (!infos.empty()) out += R"(,"infos":)" + texts_json(infos);
  return json_reply(out + "}");
}

Reply prom_error(std::string_view type, const std::string& message) {
  const auto* const known = std::ranges::find(kErrorTypes, type, &ErrorType::name);
  return json_reply(fmt::format(R"({{"status":"error","errorType":"{}","error":{}}})", type, json_quote(message)),
                    known == kErrorTypes.end() ? 500 : known->status);
}

Reply prom_bad_data(const Error& error) { return prom_error("bad_data", error.message()); }

Reply prom_failure(const Error& error) { return prom_error(type_of(error.code()), error.message()); }

Result<std::string> rules_json(const std::vector<GroupStatus>& groups, const RuleFilter& filter) {
  std::string out;
  std::string token;
  size_t count = 0;
  bool begun = filter.next_token.empty();
  for (const GroupStatus& group : groups) {
    begun = begun || token_of(group) == filter.next_token;
    if (!begun || !among(group.name, filter.groups) || !among(group.file, filter.files)) continue;
    std::string rules;
    for (const RuleStatus& rule : group.rules) {
      if (wanted(rule, filter)) rules += (rules.empty() ? "" : ",") + rule_json(rule, filter.exclude_alerts);
    }
    // A group of which nothing is wanted is left out, as Prometheus does; but without a filter not one that is empty
    // itself.
    const bool filtered = !filter.type.empty() || !filter.names.empty() || !filter.selectors.empty();
    if (rules.empty() && (filtered || !group.rules.empty())) continue;
    if (filter.group_limit > 0 && count == filter.group_limit) {
      token = token_of(group);
      break;
    }
    ++count;
    out += (out.empty() ? "" : ",") + group_json(group, rules);
  }
  if (!begun) {
    return Error(Code::kInvalidArgument, fmt::format("invalid group_next_token {}; were rule groups changed?",
                                                     json_quote(filter.next_token.substr(0, 64))));
  }
  return R"({"groups":[)" + out + "]" + (token.empty() ? "" : R"(,"groupNextToken":)" + json_quote(token)) + "}";
}

std::string alerts_json(const std::vector<GroupStatus>& groups) {
  std::string out;
  for (const GroupStatus& group : groups) {
    for (const RuleStatus& rule : group.rules) {
      for (const Alert& alert : rule.alerts) {
        if (active(alert)) out += (out.empty() ? "" : ",") + alert_json(alert);
      }
    }
  }
  return R"({"alerts":[)" + out + "]}";
}

std::string metadata_json(std::string_view metric, size_t limit) {
  std::map<std::string, std::string> all;
  for (const metrics::CollectorSpec* const collector : metrics::collectors()) {
    for (const metrics::MetricSpec& spec : collector->metrics) {
      const metrics::Series series = metrics::declared_series(spec.name);
      const std::string value = fmt::format(R"([{{"type":"{}","help":{},"unit":{}}}])",
                                            series.kind == metrics::Kind::kCounter ? "counter" : "gauge",
                                            json_quote(spec.description), json_quote(metrics::prometheus_unit(series)));
      all.emplace(spec.name, value);
      all.emplace(metrics::prometheus_name(series), value);
    }
  }
  std::string out;
  size_t count = 0;
  for (const auto& [name, value] : all) {
    if (!metric.empty() && name != metric) continue;
    if (limit > 0 && count++ >= limit) break;
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", json_quote(name), value);
  }
  return "{" + out + "}";
}

}  // namespace monitor::analysis::web

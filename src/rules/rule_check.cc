#include "rules/rule_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "query/duration.h"
#include "query/json.h"
#include "rules/expression_uses.h"
#include "rules/scalar_place.h"

namespace monitor::rules {

namespace {

void check_expression(const Rule& rule, const CheckOptions& options, std::vector<Fault>& faults) {
  const ExpressionUses uses = uses_of(*rule.expression);
  for (const ImpossibleShare& one : uses.impossible) {
    faults.push_back({place_in_expression(rule, options.text, one.begin),
                      fmt::format("{}: the comparison with {} is never true: {} is a share, from 0 to 1", rule.name,
                                  query::value_text(one.limit), one.metric)});
  }
  for (const NarrowSubquery& one : uses.narrow) {
    faults.push_back({place_in_expression(rule, options.text, one.begin),
                      fmt::format("{}: the subquery's range {} holds fewer than two of its steps of {}", rule.name,
                                  query::format_duration_ms(one.range_ms), query::format_duration_ms(one.step_ms))});
  }
}

}  // namespace

Place place_in_expression(const Rule& rule, std::string_view file_text, size_t byte) {
  if (file_text.empty()) return rule.expression_place;
  Place inside;
  for (const char c : std::string_view(rule.expression_text).substr(0, byte)) {
    if (c == '\n') {
      inside = {inside.line + 1, 1};
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80) {
      ++inside.column;
    }
  }
  const YamlNode scalar{.kind = YamlNode::Kind::kScalar, .place = rule.expression_scalar, .text = rule.expression_text};
  return place_in_scalar(file_text, scalar, inside);
}

std::vector<Fault> check_rules(const std::vector<Group>& groups, const CheckOptions& options) {
  std::vector<Fault> faults;
  for (const Group& group : groups) {
    const int64_t interval = group.interval_ms > 0 ? group.interval_ms : options.interval_ms;
    std::map<std::string, Place> seen;
    for (const Rule& rule : group.rules) {
      std::string identity = (rule.alerting ? "alert " : "record ") + rule.name;
      for (const TemplatedText& one : rule.labels) identity += "\n" + one.name + "=" + one.text();
      const auto [first, added] = seen.emplace(identity, rule.place);
      if (!added) {
        faults.push_back({rule.place, fmt::format("{}: the rule in line {} has the same name and labels", rule.name,
                                                  first->second.line)});
      }
      if (rule.for_ms > 0 && rule.for_ms < interval) {
        faults.push_back({rule.place, fmt::format("{}: for {} is shorter than the interval {}: the alert fires at the "
                                                  "second evaluation",
                                                  rule.name, query::format_duration_ms(rule.for_ms),
                                                  query::format_duration_ms(interval))});
      }
      check_expression(rule, options, faults);
    }
  }
  return faults;
}

bool asks_of_agents(const std::vector<Group>& groups) {
  // A query in a template is known only when it is expanded.
  const auto queries = [](const TemplatedText& one) { return one.text().find("query") != std::string::npos; };
  return std::ranges::any_of(groups, [&](const Group& group) {
    return std::ranges::any_of(group.rules, [&](const Rule& rule) {
      return asks_of_agents(*rule.expression) || std::ranges::any_of(rule.labels, queries) ||
             std::ranges::any_of(rule.annotations, queries);
    });
  });
}

int64_t reach_ms(const std::vector<Group>& groups) {
  int64_t reach = 0;
  for (const Group& group : groups) {
    for (const Rule& rule : group.rules) reach = std::max(reach, reach_ms(*rule.expression) + group.query_offset_ms);
  }
  return reach;
}

}  // namespace monitor::rules

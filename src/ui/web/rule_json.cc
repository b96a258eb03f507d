#include "ui/web/rule_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "query/duration.h"
#include "query/json.h"
#include "ui/web/values_json.h"

namespace monitor::analysis::web {

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string pairs_json(const Pairs& pairs) {
  std::string out;
  for (const auto& [name, text] : pairs) {
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", json_quote(name), json_quote(text));
  }
  return "{" + out + "}";
}

Pairs texts_of(const std::vector<rules::TemplatedText>& texts) {
  Pairs pairs;
  for (const rules::TemplatedText& one : texts) pairs.emplace_back(one.name, one.text());
  return pairs;
}

Pairs own_labels(const rules::Rule& rule, const rules::Group& group) {
  Pairs pairs = texts_of(rule.labels);
  std::erase_if(pairs,
                [&group](const auto& one) { return std::ranges::find(group.labels, one) != group.labels.end(); });
  return pairs;
}

std::string duration_json(int64_t ms) { return ms == 0 ? "\"\"" : json_quote(query::format_duration_ms(ms)); }

std::string rule_json(const rules::Rule& rule, const rules::Group& group) {
  return fmt::format(
      R"({{"kind":"{}","name":{},"expr":{},"for":{},"keep_firing_for":{},"labels":{},"annotations":{},"line":{},)"
      R"("column":{}}})",
      rule.alerting ? "alert" : "record", json_quote(rule.name), json_quote(rule.expression_text),
      duration_json(rule.for_ms), duration_json(rule.keep_firing_for_ms), pairs_json(own_labels(rule, group)),
      pairs_json(texts_of(rule.annotations)), rule.place.line, rule.place.column);
}

std::string ms_json(int64_t ms) { return seconds_json(ms * kNanosPerMilli); }
std::string ms_or_null(int64_t ms) { return ms == 0 ? "null" : ms_json(ms); }

std::string episode_json(const rules::ReplayEpisode& one) {
  return fmt::format(
      R"({{"rule":{},"group":{},"labels":{},"annotations":{},"value":{},"active":{},"fired":{},"ended":{}}})",
      json_quote(one.alert.labels.get("alertname")), json_quote(one.alert.group), query::labels_json(one.alert.labels),
      pairs_json(one.alert.annotations), json_quote(query::value_text(one.alert.value)), ms_json(one.active_at_ms),
      ms_or_null(one.fired_at_ms), ms_or_null(one.resolved_at_ms));
}

}  // namespace

std::string texts_json(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ",") + json_quote(text);
  return "[" + out + "]";
}

std::string problems_json(const std::vector<rules::Fault>& faults, bool warnings) {
  std::string out;
  for (const rules::Fault& one : faults) {
    out += fmt::format(R"({}{{"line":{},"column":{},"text":{},"warning":{}}})", out.empty() ? "" : ",", one.place.line,
                       one.place.column, json_quote(one.text), warnings);
  }
  return "[" + out + "]";
}

std::string rule_groups_json(const std::vector<rules::Group>& groups) {
  std::string out;
  for (const rules::Group& group : groups) {
    std::string rules;
    for (const rules::Rule& rule : group.rules) rules += (rules.empty() ? "" : ",") + rule_json(rule, group);
    out += fmt::format(R"({}{{"name":{},"interval":{},"labels":{},"line":{},"rules":[{}]}})", out.empty() ? "" : ",",
                       json_quote(group.name), duration_json(group.interval_ms), pairs_json(group.labels),
                       group.place.line, rules);
  }
  return "[" + out + "]";
}

ReplayJson replay_json(const rules::ReplayReport& report, size_t most, size_t most_bytes) {
  const auto episodes = rules::episodes_of(report);
  ReplayJson json;
  json.fired =
      static_cast<size_t>(std::ranges::count_if(episodes, [](const auto& one) { return one.fired_at_ms != 0; }));
  std::vector<std::string> rows;  // the newest first
  size_t bytes = 0;
  for (size_t i = episodes.size(); i > 0 && rows.size() < most && bytes < most_bytes; --i) {
    rows.push_back(episode_json(episodes[i - 1]));
    bytes += rows.back().size();
  }
  json.left_out = episodes.size() - rows.size();
  std::ranges::reverse(rows);
  json.alerts = "[" + join(rows, ",") + "]";
  return json;
}

std::string replayed_groups_json(const std::vector<rules::ReplayedGroup>& groups) {
  std::string out;
  for (const rules::ReplayedGroup& one : groups) {
    out += fmt::format(R"({}{{"file":{},"name":{},"interval":{},"step":{}}})", out.empty() ? "" : ",",
                       json_quote(one.file), json_quote(one.name), ms_json(one.interval_ms), ms_json(one.step_ms));
  }
  return "[" + out + "]";
}

}  // namespace monitor::analysis::web

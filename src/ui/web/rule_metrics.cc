#include "ui/web/rule_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace monitor::analysis::web {

namespace {

using rules::GroupFigures;

struct Family {
  const char* name;
  const char* help;
  double (*value)(const GroupFigures& group);
};

constexpr std::array kFamilies = std::to_array<Family>({
    {"delay_seconds", "How far the group is behind the data.",
     [](const GroupFigures& one) { return one.delay_seconds; }},
    {"failing_rules", "Rules of the group whose last evaluation failed.",
     [](const GroupFigures& one) { return static_cast<double>(one.failing); }},
    {"interval_seconds", "Time between two evaluations of the group.",
     [](const GroupFigures& one) { return static_cast<double>(one.interval_ms) / 1000; }},
    {"last_duration_seconds", "How long the last evaluation of the group took.",
     [](const GroupFigures& one) { return one.evaluation_seconds; }},
    {"last_evaluation_seconds", "The time of the group's last evaluation, seconds since 1970; 0: never.",
     [](const GroupFigures& one) { return static_cast<double>(one.evaluated_at_ms) / 1000; }},
    {"rules", "Rules of the group.", [](const GroupFigures& one) { return static_cast<double>(one.rules); }},
});

std::string quoted(const std::string& value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? "\\n" : std::string(1, c);
  }
  return out + "\"";
}

}  // namespace

std::string rule_group_metrics(std::span<const GroupFigures> groups) {
  std::string text;
  if (groups.empty()) return text;
  const auto shown = groups.first(std::min(groups.size(), kMostGroups));
  for (const Family& family : kFamilies) {
    const std::string name = fmt::format("monitor_rules_group_{}", family.name);
    text += fmt::format("# HELP {} {}\n# TYPE {} gauge\n", name, family.help, name);
    for (const GroupFigures& one : shown) {
      text += fmt::format("{}{{rule_group={}}} {}\n", name, quoted(one.file + ";" + one.name), family.value(one));
    }
  }
  return text;
}

}  // namespace monitor::analysis::web

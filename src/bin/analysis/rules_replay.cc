// `rules replay`: what rules would have done in the past.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iostream>
#include <set>

#include "base/text.h"
#include "base/time_format.h"
#include "bin/analysis/recorded_data.h"
#include "bin/analysis/rule_paths.h"
#include "bin/analysis/rules_actions.h"
#include "metriclog/start_at.h"
#include "query/duration.h"
#include "query/json.h"
#include "rules/replay.h"
#include "rules/rule_check.h"

namespace monitor {

namespace {

constexpr int64_t kNanosPerMs = 1'000'000;

std::string time_text(int64_t ms) { return format_rfc3339(ms * kNanosPerMs, 0); }

std::string_view state_text(rules::AlertState state) {
  switch (state) {
    case rules::AlertState::kPending:
      return "pending";
    case rules::AlertState::kFiring:
      return "firing";
    case rules::AlertState::kResolved:
      break;
  }
  return "resolved";
}

// The time that an option names.
Result<int64_t> time_of(const char* option, const std::string& text, int64_t now_ns) {
  const auto at = metriclog::parse_start(text, now_ns);
  if (at && at->kind == metriclog::StartAt::Kind::kTime) return at->time_ns;
  return Error(Code::kInvalidArgument, fmt::format("{}: got {}, expected a time (2026-11-22T12:00:00Z) or an age (-7d)",
                                                   option, json_quote(text)));
}

Result<rules::ReplayOptions> options_of(const RulesFlags& flags, int64_t now_ns) {
  const auto from = time_of("--from", flags.from, now_ns);
  if (!from) return from.error();
  const auto to = flags.to.empty() ? Result<int64_t>(now_ns) : time_of("--to", flags.to, now_ns);
  if (!to) return to.error();
  if (*from >= *to) return Error(Code::kInvalidArgument, "--from must be before --to");
  return rules::ReplayOptions{.from_ms = *from / kNanosPerMs, .to_ms = *to / kNanosPerMs};
}

Result<std::unique_ptr<RecordedData>> open_data(const Cli& cli, RulesFlags& flags,
                                                const std::vector<rules::Group>& groups,
                                                const rules::ReplayOptions& options) {
  if (flags.history.empty() && flags.log.named()) {
    const int64_t from_ms = options.from_ms - rules::reach_ms(groups);
    return RecordedData::of_log(flags.log, from_ms * kNanosPerMs, options.to_ms * kNanosPerMs,
                                rules::asks_of_agents(groups));
  }
  return RecordedData::of_history(flags.history.empty() ? cli.data_folder() + "/history.db" : flags.history);
}

void print_json(const rules::ReplayReport& report) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const rules::ReplayChange& one : report.changes) {
    nlohmann::ordered_json labels = nlohmann::ordered_json::object();
    for (const auto& [name, value] : one.alert.labels.pairs()) labels[name] = value;
    all.push_back({{"time", time_text(one.at_ms)},
                   {"state", state_text(one.state)},
                   {"labels", labels},
                   {"value", query::value_text(one.alert.value)},
                   {"activeAt", time_text(one.alert.active_at_ms)},
                   {"fired", one.alert.fired_at_ms != 0}});
  }
  std::cout << all.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

std::string note_of(const rules::ReplayChange& change) {
  const std::string lasted = query::format_duration_ms(change.lasted_ms);
  if (change.state == rules::AlertState::kResolved) {
    return fmt::format("{} after {}", change.alert.fired_at_ms != 0 ? "ended" : "never fired, ended", lasted);
  }
  const bool waited = change.state == rules::AlertState::kFiring && change.lasted_ms > 0;
  return fmt::format("value {}{}", query::value_text(change.alert.value),
                     waited ? fmt::format(", after {} pending", lasted) : "");
}

void print_text(const rules::ReplayReport& report, const rules::ReplayOptions& options) {
  std::set<std::string> fired;
  size_t firings = 0;
  for (const rules::ReplayChange& one : report.changes) {
    const std::string labels = one.alert.labels.to_string();
    if (one.state == rules::AlertState::kFiring) {
      ++firings;
      fired.insert(labels);
    }
    std::cout << fmt::format("{}  {:8}  {}  {}\n", time_text(one.at_ms), state_text(one.state), sanitize_utf8(labels),
                             note_of(one));
  }
  std::cout << fmt::format(
      "{} to {}: {} evaluations of rules; {} alerts would have fired, of {} label sets; {} active at the end\n",
      time_text(options.from_ms), time_text(options.to_ms), report.evaluations, firings, fired.size(),
      report.active.size());
}

}  // namespace

int run_rules_replay(const Cli& cli, RulesFlags& flags) {
  const SystemClock clock;
  const auto options = options_of(flags, clock.wall_ns());
  if (!options) return rules_failure(cli, options.error());
  auto files = load_rule_paths(flags.files);
  if (!files) return rules_failure(cli, files.error());
  std::vector<rules::Group> groups;
  for (const LoadedRules& file : *files) {
    if (!file.rules.faults.empty()) {
      std::cerr << file.rules.fault_text(file.path) << "\n";
      return kExitNegative;
    }
    groups.insert(groups.end(), file.rules.groups.begin(), file.rules.groups.end());
  }
  if (!flags.alert.empty() && !rules::keep_only_alert(flags.alert, groups)) {
    return cli.usage_error("--alert: no alerting rule has the name " + json_quote(flags.alert));
  }
  auto data = open_data(cli, flags, groups, *options);
  if (!data) return rules_failure(cli, data.error());
  const auto report = rules::replay(groups, (*data)->source(), *options);
  if (!report) return rules_failure(cli, report.error());
  if (flags.format == "json") {
    print_json(*report);
  } else {
    print_text(*report, *options);
  }
  std::cout << std::flush;
  for (const std::string& one : report->failures) std::cerr << "failed: " << one << "\n";
  return report->failures.empty() ? kExitOk : kExitNegative;
}

}  // namespace monitor

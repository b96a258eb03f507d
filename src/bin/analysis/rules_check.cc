// `rules check`: the format of files of rules, and what can never fire with the series that exist.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <set>
#include <tuple>

#include "bin/analysis/recorded_data.h"
#include "bin/analysis/rule_paths.h"
#include "bin/analysis/rules_actions.h"
#include "metrics/catalog/collecting_hint.h"
#include "rules/rule_check.h"

namespace monitor {

namespace {

constexpr int64_t kNanosPerMs = 1'000'000;

std::vector<std::string> recorded_names(const std::vector<LoadedRules>& files) {
  std::set<std::string> names;
  for (const LoadedRules& file : files) {
    for (const rules::Group& group : file.rules.groups) {
      for (const rules::Rule& rule : group.rules) {
        if (!rule.alerting) names.insert(rule.name);
      }
    }
  }
  return {names.begin(), names.end()};
}

// How far back the check looks: the window, or what the rules need.
int64_t reach_ns(const std::vector<LoadedRules>& files, int64_t window_ns) {
  int64_t reach_ms = window_ns / kNanosPerMs;
  for (const LoadedRules& file : files) reach_ms = std::max(reach_ms, rules::reach_ms(file.rules.groups));
  return reach_ms * kNanosPerMs;
}

// nullptr: there is nothing to compare with, which is not an error.
Result<std::unique_ptr<RecordedData>> open_data(const Cli& cli, RulesFlags& flags,
                                                const std::vector<LoadedRules>& files, int64_t now_ns) {
  if (flags.no_history) return std::unique_ptr<RecordedData>();
  if (flags.history.empty() && flags.log.named()) {
    return RecordedData::of_log(
        flags.log, now_ns - reach_ns(files, flags.window_ns), now_ns,
        std::ranges::any_of(files, [](const LoadedRules& one) { return rules::asks_of_agents(one.rules.groups); }));
  }
  const std::string path = flags.history.empty() ? cli.data_folder() + "/history.db" : flags.history;
  auto opened = RecordedData::of_history(path);
  if (opened || !flags.history.empty()) return opened;
  std::cerr << "monitor-analysis: " << opened.error().message()
            << "; the rules are not compared with series (--history or --log names some)\n";
  return std::unique_ptr<RecordedData>();
}

// Whether the file is good. `source`: nullptr, if only the format is checked.
bool check_file(const LoadedRules& file, const std::vector<std::string>& recorded, query::SeriesSource* source,
                rules::CheckOptions options, bool strict) {
  std::cout << "Checking " << file.path << "\n";
  if (!file.rules.faults.empty()) {
    std::cout << std::flush;
    std::cerr << "  FAILED:\n" << file.rules.fault_text(file.path) << "\n\n";
    return false;
  }
  options.text = file.text;
  std::vector<rules::Fault> warnings = rules::check_rules(file.rules.groups, options);
  if (source != nullptr) {
    auto found = rules::check_against_series(file.rules.groups, recorded, *source, options);
    if (!found) {
      std::cout << std::flush;
      std::cerr << "  the series cannot be read: " << found.error().message() << "\n\n";
      return false;
    }
    warnings.insert(warnings.end(), found->begin(), found->end());
  }
  std::ranges::stable_sort(warnings, [](const rules::Fault& a, const rules::Fault& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
  for (const rules::Fault& one : warnings) {
    std::cout << "  " << (strict ? "FAILED: " : "WARNING: ") << file.path << ":" << one.to_string() << "\n";
  }
  const bool good = warnings.empty() || !strict;
  if (good) std::cout << "  SUCCESS: " << file.rules.rules() << " rules found\n";
  std::cout << "\n";
  return good;
}

}  // namespace

int run_rules_check(const Cli& cli, RulesFlags& flags) {
  if (flags.no_history && (!flags.history.empty() || flags.log.named())) {
    return cli.usage_error("--no-history excludes --history and the options of a log");
  }
  auto files = load_rule_paths(flags.files);
  if (!files) return rules_failure(cli, files.error());
  const SystemClock clock;
  const int64_t now = clock.wall_ns();
  auto data = open_data(cli, flags, *files, now);
  if (!data) return rules_failure(cli, data.error());
  const rules::CheckOptions options{
      .now_ms = now / kNanosPerMs, .window_ms = flags.window_ns / kNanosPerMs, .hint = metrics::collecting_hint};
  const std::vector<std::string> recorded = recorded_names(*files);
  query::SeriesSource* const source = *data ? &(*data)->source() : nullptr;
  bool good = true;
  for (const LoadedRules& file : *files) good = check_file(file, recorded, source, options, flags.strict) && good;
  return good ? kExitOk : kExitNegative;
}

}  // namespace monitor

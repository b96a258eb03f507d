// `rules test`: unit tests in promtool's format, with its output.
#include <fmt/format.h>

#include <iostream>

#include "base/text.h"
#include "bin/analysis/recorded_data.h"
#include "bin/analysis/rule_paths.h"
#include "bin/analysis/rules_actions.h"
#include "rules/unit_test_run.h"

namespace monitor {

namespace {

// A failure may quote what the file contains, however long that is.
constexpr size_t kMostShownBytes = 4096;

std::string shown(const std::string& failure) {
  return failure.size() <= kMostShownBytes ? failure : sanitize_utf8(failure.substr(0, kMostShownBytes)) + "...";
}

// The groups of all files that the patterns name. Adds what is wrong with them to `failures`.
std::vector<rules::Group> load_groups(const std::vector<std::string>& patterns, const std::string& beside,
                                      std::vector<std::string>& failures) {
  std::vector<rules::Group> groups;
  const auto loaded = load_rule_patterns(patterns, beside);
  if (!loaded) {
    failures.push_back("  " + loaded.error().message());
    return groups;
  }
  for (const LoadedRules& one : *loaded) {
    if (!one.rules.faults.empty()) failures.push_back(one.rules.fault_text(one.path));
    groups.insert(groups.end(), one.rules.groups.begin(), one.rules.groups.end());
  }
  return groups;
}

std::vector<std::string> failures_of(const std::string& path, const RulesFlags& flags) {
  const auto text = read_rule_text(path);
  if (!text) return {"  " + text.error().message()};
  std::vector<std::string> failures;
  const rules::UnitTestFile file = rules::parse_unit_tests(*text);
  for (const rules::Fault& fault : file.faults) failures.push_back(fmt::format("{}:{}", path, fault.to_string()));
  if (!failures.empty()) return failures;
  const std::vector<rules::Group> groups = load_groups(file.rule_files, path, failures);
  if (!failures.empty()) return failures;
  const auto load_samples = [&](const std::string& spec) { return recorded_samples(spec, flags.log); };
  for (const rules::UnitTest& test : file.tests) {
    auto failed = rules::run_unit_test(file, test, groups, load_samples);
    failures.insert(failures.end(), failed.begin(), failed.end());
  }
  return failures;
}

}  // namespace

int run_rules_test(const Cli& cli, RulesFlags& flags) {
  if (const std::string fault = check_log_flags(flags.log); !fault.empty()) return cli.usage_error(fault);
  bool good = true;
  for (const std::string& path : flags.files) {
    std::cout << "Unit Testing:  " << path << "\n" << std::flush;
    const std::vector<std::string> failures = failures_of(path, flags);
    if (failures.empty()) {
      std::cout << "  SUCCESS\n\n";
      continue;
    }
    good = false;
    std::cerr << "  FAILED:\n";
    for (const std::string& one : failures) std::cerr << shown(one) << "\n\n";
  }
  return good ? kExitOk : kExitNegative;
}

}  // namespace monitor

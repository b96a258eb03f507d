// The shipped rules (deploy/rules) use metrics, labels and values that collectors declare, and functions and states of
// agents that exist. So a metric cannot be renamed without its rules.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <sstream>

#include "base/text.h"
#include "metrics/catalog/catalog.h"
#include "metrics/prometheus_names.h"
#include "query/functions.h"
#include "rules/expression_uses.h"
#include "rules/rule_check.h"
#include "rules/rule_file.h"
#include "rules/unit_test_file.h"

namespace monitor::rules {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<fs::path> files_in(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& one : fs::directory_iterator(fs::path(MONITOR_SOURCE_DIR) / folder)) {
    if (one.path().extension() == ".yaml") files.push_back(one.path());
  }
  std::ranges::sort(files);
  return files;
}

// A declared metric, by its name for Prometheus.
const metrics::MetricSpec* declared(const std::string& name) {
  for (const metrics::CollectorSpec* const collector : metrics::collectors()) {
    for (const metrics::MetricSpec& spec : collector->metrics) {
      if (metrics::prometheus_name(metrics::declared_series(spec.name)) == name) return &spec;
    }
  }
  return nullptr;
}

using LabelValues = std::map<std::string, std::set<std::string>>;  // by label; no values: any

void add_labels(std::span<const metrics::LabelSpec> specs, LabelValues& labels) {
  for (const metrics::LabelSpec& one : specs) {
    auto& values = labels[metrics::prometheus_label(one.key)];
    if (one.values.empty()) continue;
    for (const std::string_view value : split(one.values, ',')) values.emplace(value);
  }
}

// Labels of parts are declared by the collector, or named by the description of the option that adds them: "Adds one
// series per interface, labelled network.interface.name".
LabelValues labels_of(const metrics::MetricSpec& spec) {
  LabelValues labels = {{"agent", {}}, {"host", {}}};
  add_labels(spec.labels, labels);
  for (const metrics::CollectorSpec* const collector : metrics::collectors()) {
    const bool own = std::ranges::any_of(collector->metrics, [&](const auto& one) { return &one == &spec; });
    if (own) add_labels(collector->part_labels, labels);
    for (const metrics::SelectorSpec& selector : collector->selectors) {
      const auto of_metric = split(spec.selectors, ',');
      if (std::ranges::find(of_metric, selector.name) == of_metric.end()) continue;
      for (const metrics::OptionSpec& option : selector.options) {
        constexpr std::string_view kMark = "labelled ";
        const size_t at = option.description.find(kMark);
        if (at != std::string_view::npos) {
          labels[metrics::prometheus_label(option.description.substr(at + kMark.size()))];
        }
      }
    }
  }
  return labels;
}

// Where a rule is, for messages.
std::string place_of(const Group& group, const Rule& rule) { return group.file + ": " + rule.name; }

// The labels that the expression can give to an alert, as far as its selectors say.
std::set<std::string> check_selectors(const Rule& rule, const std::string& where) {
  std::set<std::string> known = {"agent", "host", "state"};
  for (const SelectorUse& use : uses_of(*rule.expression).selectors) {
    const std::string name = metric_of(use.selector->matchers);
    const metrics::MetricSpec* const spec = declared(name);
    EXPECT_NE(spec, nullptr) << where << ": no collector declares " << name;
    if (spec == nullptr) continue;
    const auto labels = labels_of(*spec);
    for (const auto& [label, values] : labels) known.insert(label);
    for (const query::Matcher& matcher : use.selector->matchers) {
      if (matcher.label() == query::kNameLabel) continue;
      const auto found = labels.find(matcher.label());
      EXPECT_NE(found, labels.end()) << where << ": " << name << " has no label " << matcher.label();
      if (found == labels.end() || found->second.empty() || matcher.value().empty()) continue;
      EXPECT_TRUE(std::ranges::any_of(found->second, [&](const std::string& one) { return matcher.matches(one); }))
          << where << ": " << name << " has no series with " << matcher.to_string();
    }
  }
  return known;
}

class ShippedRules : public ::testing::Test {
 protected:
  ShippedRules() {
    for (const fs::path& path : files_in("deploy/rules")) {
      const std::string text = read(path);
      RuleFile file = parse_rule_file(text, path.filename().string());
      EXPECT_EQ(file.fault_text(path.string()), "");
      for (const Fault& one : check_rules(file.groups, {.text = text})) ADD_FAILURE() << path << ":" << one.to_string();
      for (Group& group : file.groups) groups_.push_back(std::move(group));
    }
  }

  std::vector<Group> groups_;
};

TEST_F(ShippedRules, UseDeclaredMetricsAndLabels) {
  size_t rules = 0;
  for (const Group& group : groups_) {
    for (const Rule& rule : group.rules) {
      ++rules;
      const std::string where = place_of(group, rule);
      const std::set<std::string> known = check_selectors(rule, where);
      for (const TemplatedText& one : rule.annotations) {
        for (const std::string& label : labels_in(one.text())) {
          EXPECT_TRUE(known.contains(label)) << where << ": " << one.name << " uses the label " << label;
        }
      }
    }
  }
  EXPECT_GE(rules, 25U);
}

TEST_F(ShippedRules, HaveASeverityAndASummary) {
  for (const Group& group : groups_) {
    for (const Rule& rule : group.rules) {
      const std::string where = place_of(group, rule);
      const auto severity = std::ranges::find(rule.labels, "severity", &TemplatedText::name);
      ASSERT_NE(severity, rule.labels.end()) << where;
      EXPECT_TRUE(severity->text() == "page" || severity->text() == "warning" || severity->text() == "info") << where;
      EXPECT_NE(std::ranges::find(rule.annotations, "summary", &TemplatedText::name), rule.annotations.end()) << where;
    }
  }
}

TEST_F(ShippedRules, HaveTestsThatExpectEachAlertAndItsAbsence) {
  std::map<std::string, size_t> fires;
  for (const fs::path& path : files_in("deploy/rules/tests")) {
    const UnitTestFile file = parse_unit_tests(read(path));
    for (const Fault& fault : file.faults) ADD_FAILURE() << path << ":" << fault.to_string();
    for (const UnitTest& test : file.tests) {
      for (const AlertTest& one : test.alerts) fires[one.alert] += one.expected.size();
    }
  }
  for (const Group& group : groups_) {
    for (const Rule& rule : group.rules) EXPECT_GT(fires[rule.name], 0U) << place_of(group, rule) << " has no test";
  }
}

}  // namespace
}  // namespace monitor::rules

#include "ui/web/rule_metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace monitor::analysis::web {
namespace {

TEST(RuleMetrics, EachGroupHasItsOwnFigures) {
  EXPECT_EQ(rule_group_metrics({}), "");
  const std::vector<rules::GroupFigures> groups = {{.name = "slow \"x\"\n",
                                                    .file = "a.yml",
                                                    .rules = 3,
                                                    .failing = 1,
                                                    .interval_ms = 15'000,
                                                    .evaluated_at_ms = 1'700'000'000'500,
                                                    .evaluation_seconds = 0.25,
                                                    .delay_seconds = 30.5}};
  const std::string text = rule_group_metrics(groups);
  for (const char* const line : {"# TYPE monitor_rules_group_delay_seconds gauge\n",
                                 "monitor_rules_group_delay_seconds{rule_group=\"a.yml;slow \\\"x\\\"\\n\"} 30.5\n",
                                 "monitor_rules_group_failing_rules{rule_group=\"a.yml;slow \\\"x\\\"\\n\"} 1\n",
                                 "} 1700000000.5\n", "monitor_rules_group_interval_seconds{", "} 0.25\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(RuleMetrics, TheirNumberIsBounded) {
  const std::vector<rules::GroupFigures> groups(kMostGroups + 100);
  EXPECT_EQ(static_cast<size_t>(std::ranges::count(rule_group_metrics(groups), '\n')), 6 * (kMostGroups + 2));
}

}  // namespace
}  // namespace monitor::analysis::web

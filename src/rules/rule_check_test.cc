// Rules that can never fire are found, with their place and the reason.
#include "rules/rule_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "rules/memory_store.h"

namespace monitor::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kNow = 1'700'000'000'000;

std::string file_of(const std::string& expression, const std::string& more = "") {
  return "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: " + expression + "\n" + more;
}

class RuleCheckTest : public ::testing::Test {
 protected:
  RuleCheckTest() {
    for (int64_t at = kNow - 3'600'000; at <= kNow; at += 10'000) {
      add({{"__name__", "system_memory_utilization_ratio"}, {"agent", "web"}, {"host", "h"}}, at, 0.5);
      for (const char* const direction : {"read", "write"}) {
        add({{"__name__", "disk_rate"}, {"agent", "web"}, {"direction", direction}}, at, 100);
      }
      add({{"__name__", "agent_state"}, {"agent", "web"}, {"state", "alive"}}, at, 1);
      add({{"__name__", "agent_state"}, {"agent", "web"}, {"state", "gone"}}, at, 0);
    }
    add({{"__name__", "hourly"}, {"agent", "web"}}, kNow - 3'400'000, 1);
    add({{"__name__", "hourly"}, {"agent", "web"}}, kNow - 1'800'000, 1);
    add({{"__name__", "hourly"}, {"agent", "web"}}, kNow - 1000, 1);
  }
  void add(std::vector<query::Labels::Pair> labels, int64_t at_ms, double value) {
    ASSERT_TRUE(store_.append(query::Labels(std::move(labels)), {at_ms, value}));
  }
  std::vector<std::string> faults(const std::string& text, const std::vector<std::string>& recorded = {}) {
    const RuleFile file = parse_rule_file(text, "f");
    EXPECT_EQ(file.fault_text("f"), "");
    const CheckOptions options{.now_ms = kNow, .text = text};
    std::vector<std::string> all;
    for (const Fault& one : check_rules(file.groups, options)) all.push_back(one.to_string());
    const auto found = check_against_series(file.groups, recorded, store_, options);
    EXPECT_TRUE(found);
    for (const Fault& one : *found) all.push_back(one.to_string());
    return all;
  }

  MemoryStore store_;
};

TEST_F(RuleCheckTest, AcceptsRulesThatCanFire) {
  for (const char* const expression :
       {"system_memory_utilization_ratio > 0.95", "rate(disk_rate[1m]) > 1", "absent(nosuch)",
        "absent_over_time(nosuch[5m])", "disk_rate{direction=\"read\"} > 1", "sum by (agent) (disk_rate) > 1",
        "agent_state(\".*\", \"gone\") == 1", "vector(1)", "job:recorded > 1", "ALERTS{alertname=\"B\"}",
        "system_memory_utilization_ratio >= 1", "max_over_time(disk_rate[1h:1m]) > 5"}) {
    std::vector<std::string> found = faults(file_of(expression), {"job:recorded"});
    // That a name does not look like a counter's is said as well.
    std::erase_if(found,
                  [](const std::string& one) { return one.find("might not be a counter") != std::string::npos; });
    EXPECT_THAT(found, IsEmpty()) << expression;
  }
}

TEST_F(RuleCheckTest, NamesTheMetricThatNobodyHas) {
  EXPECT_THAT(faults(file_of("up == 1 or system_memory_utilisation_ratio > 0.9")),
              ElementsAre("5:11: A: nobody has the metric up in the last 1h",
                          "5:22: A: nobody has the metric system_memory_utilisation_ratio in the last 1h; did you mean "
                          "system_memory_utilization_ratio?"));
}

TEST_F(RuleCheckTest, NamesTheLabelAndTheValueThatNobodyHas) {
  EXPECT_THAT(faults(file_of("disk_rate{direktion=\"read\"} > 1")),
              ElementsAre("5:11: A: no series of disk_rate has the label direktion; did you mean direction?"));
  EXPECT_THAT(faults(file_of("disk_rate{direction=\"reads\"} > 1")),
              ElementsAre("5:11: A: no series of disk_rate meets direction=\"reads\"; it has read, write"));
  EXPECT_THAT(faults(file_of("disk_rate{direction=~\"r.*\", agent!=\"web\"} > 1")),
              ElementsAre("5:11: A: no series of disk_rate meets agent!=\"web\"; it has web"));
}

TEST_F(RuleCheckTest, FindsWindowsThatHoldNoTwoSamples) {
  EXPECT_THAT(faults(file_of("max_over_time(disk_rate[19s]) > 1")),
              ElementsAre("5:25: A: max_over_time[19s] holds fewer than two samples: disk_rate has one every 10s; use "
                          "[40s] or more"));
  EXPECT_THAT(faults(file_of("max_over_time(disk_rate[20s]) > 1")), IsEmpty());
  EXPECT_THAT(
      faults(file_of("hourly > 0")),
      ElementsAre("5:11: A: hourly has a sample every 26m40s, and a sample counts for 5m: most evaluations find "
                  "none; use last_over_time()"));
  EXPECT_THAT(faults(file_of("max_over_time(disk_rate[1m:40s]) > 1")),
              ElementsAre("5:25: A: the subquery's range 1m holds fewer than two of its steps of 40s"));
}

TEST_F(RuleCheckTest, FindsSharesThatAreComparedAsPercent) {
  for (const char* const expression :
       {"system_memory_utilization_ratio > 95", "avg_over_time(system_memory_utilization_ratio[5m]) > 90",
        "max by (agent) (system_memory_utilization_ratio) >= 1.5", "2 < system_memory_utilization_ratio",
        "system_memory_utilization_ratio < 0"}) {
    const auto found = faults(file_of(expression));
    ASSERT_EQ(found.size(), 1U) << expression;
    EXPECT_THAT(found[0], ::testing::HasSubstr("is never true: system_memory_utilization_ratio is a share"));
  }
  EXPECT_THAT(faults(file_of("system_memory_utilization_ratio * 100 > 95")), IsEmpty());
}

TEST_F(RuleCheckTest, NamesLabelsOfTemplatesThatNoResultHas) {
  EXPECT_THAT(
      faults(file_of("sum by (agent) (disk_rate) > 1e9",
                     "    annotations: {s: '{{ $labels.agent }} {{ $labels.host }} {{ .Labels.direction }}'}\n")),
      ElementsAre("5:11: A: a template uses the label direction, which no result has; the results have agent",
                  "5:11: A: a template uses the label host, which no result has; the results have agent"));
}

TEST_F(RuleCheckTest, NamesStatesAndAgentsThatNobodyHas) {
  EXPECT_THAT(faults(file_of("agent_state(\".*\", \"dead\") == 1")),
              ElementsAre("5:11: A: agent_state() has no state that matches \"dead\"; it has alive, gone"));
  EXPECT_THAT(faults(file_of("agent_state(\"db\") == 1")),
              ElementsAre("5:11: A: agent_state() has no agent that matches \"db\"; it has web"));
  EXPECT_THAT(faults(file_of("missing_batches() > 0")),
              ElementsAre("5:11: A: missing_batches() has had no value in the last 1h"));
}

TEST_F(RuleCheckTest, FindsScoresThatCannotBe) {
  constexpr const char* kNoneYet =
      "unusual() has no value yet: a series has a score once 24 hours of the last week have data of it";
  EXPECT_THAT(faults(file_of("sum(unusual(disk_rate)) > 0.5")), ElementsAre(std::string("5:15: A: ") + kNoneYet));
  EXPECT_THAT(faults(file_of("unusual(nosuch) > 0.5")),
              ElementsAre("5:19: A: nobody has the metric nosuch in the last 1h"));
  for (int64_t at = kNow - 30 * int64_t{3'600'000}; at < kNow - 3'600'000; at += 60'000) {
    add({{"__name__", "disk_rate"}, {"agent", "web"}, {"direction", "read"}}, at, 100);
  }
  EXPECT_THAT(faults(file_of("unusual(disk_rate) > 0.5")), IsEmpty());
  EXPECT_THAT(faults(file_of("unusual() > 0.5")), IsEmpty());
  EXPECT_THAT(faults(file_of("max by (agent) (unusual(disk_rate)) > 1")),
              ElementsAre("5:11: A: the comparison with 1 is never true: unusual() is a share, from 0 to 1"));
  EXPECT_THAT(faults(file_of("unusual_fraction() > 20")),
              ElementsAre("5:11: A: the comparison with 20 is never true: unusual_fraction() is a share, from 0 to 1",
                          "5:11: A: unusual_fraction() has had no value in the last 1h"));
}

TEST_F(RuleCheckTest, FindsRulesThatAreThereTwiceAndTooShort) {
  EXPECT_THAT(faults("groups:\n- name: g\n  interval: 1m\n  rules:\n  - {alert: A, expr: disk_rate > 1, for: 10s}\n"
                     "  - {alert: A, expr: disk_rate > 2}\n"),
              ElementsAre("5:5: A: for 10s is shorter than the interval 1m: the alert fires at the second evaluation",
                          "6:5: A: the rule in line 5 has the same name and labels"));
}

TEST_F(RuleCheckTest, KnowsThePlaceInBlocksAndQuotes) {
  EXPECT_THAT(faults("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: |\n      disk_rate > 1\n      or nosuch\n"),
              ElementsAre("7:10: A: nobody has the metric nosuch in the last 1h"));
  EXPECT_THAT(faults(file_of("'disk_rate > 1 or nosuch'")),
              ElementsAre("5:29: A: nobody has the metric nosuch in the last 1h"));
}

TEST(Reach, IsWhatRangesOffsetsAndSubqueriesNeed) {
  const auto reach = [](const std::string& expression) {
    return reach_ms(parse_rule_file(file_of(expression), "f").groups) / 1000;
  };
  EXPECT_EQ(reach("up"), 300);
  EXPECT_EQ(reach("rate(up[1h])"), 3600);
  EXPECT_EQ(reach("rate(up[1h] offset 1d) + up"), 90'000);
  EXPECT_EQ(reach("max_over_time(rate(up[10m])[1h:1m])"), 4200);
}

}  // namespace
}  // namespace monitor::rules

// Rule files: what is valid, and that every fault has its line, its column and what is expected.
#include "rules/rule_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

namespace monitor::rules {
namespace {

using testing::HasSubstr;

std::string faults(const std::string& text) { return parse_rule_file(text, "f").fault_text("f"); }

TEST(RuleFile, ReadsEveryKey) {
  const RuleFile file = parse_rule_file(R"(groups:
  - name: hosts
    interval: 30s
    limit: 7
    query_offset: 1m
    eval_delay: 5s
    labels: {team: ops, tier: "1"}
    rules:
      - alert: Hot
        expr: temperature{agent="a"} > 80
        for: 1h30m
        keep_firing_for: 5m
        labels: {severity: page, tier: "2"}
        annotations: {summary: "{{ $labels.agent }} is hot"}
      - record: agent:load:max
        expr: max by (agent) (load)
        labels: {kind: "{{ no template }}"}
)",
                                        "f");
  ASSERT_EQ(file.fault_text("f"), "");
  ASSERT_EQ(file.groups.size(), 1U);
  const Group& group = file.groups[0];
  EXPECT_EQ(group.key(), "f;hosts");
  EXPECT_EQ(group.interval_ms, 30'000);
  EXPECT_EQ(group.limit, 7U);
  EXPECT_EQ(group.query_offset_ms, 60'000);
  EXPECT_EQ(group.eval_delay_ms, 5'000);
  ASSERT_EQ(group.rules.size(), 2U);
  const Rule& hot = group.rules[0];
  EXPECT_TRUE(hot.alerting);
  EXPECT_EQ(hot.for_ms, 5'400'000);
  EXPECT_EQ(hot.keep_firing_for_ms, 300'000);
  ASSERT_EQ(hot.labels.size(), 3U);
  EXPECT_EQ(hot.labels[2].name, "tier");
  EXPECT_EQ(hot.labels[2].text(), "2") << "the rule's label wins over the group's";
  EXPECT_EQ(hot.expression_place, (Place{10, 15}));
  EXPECT_EQ(group.rules[1].labels[0].text(), "{{ no template }}");
}

TEST(RuleFile, AcceptsNothing) {
  EXPECT_EQ(faults(""), "");
  EXPECT_EQ(faults("groups: []"), "");
  EXPECT_EQ(faults("# only a comment\n"), "");
}

struct Case {
  const char* text;
  const char* fault;
};

TEST(RuleFile, NamesThePlaceOfAFault) {
  const std::vector<Case> cases = {
      {"groups:\n- name: a\n  nmae: b\n", "f:3:3: a group has no key \"nmae\"; did you mean name?"},
      {"groups:\n- name: a\n  name: b\n", "f:3:3: the key \"name\" is there twice"},
      {"groups:\n- name: a\n- name: a\n", "f:3:3: name: the file has two groups \"a\"; names must be unique"},
      {"groups:\n- rules: []\n", "f:2:3: name: a group must have a name"},
      {"groups:\n- name: a\n  interval: soon\n", "f:3:13: interval: got \"soon\", expected a duration such as 1h30m"},
      {"groups:\n- name: a\n  interval: 1ms\n", "f:3:3: interval: expected at least 100 ms"},
      {"groups:\n- name: a\n  limit: -1\n", "f:3:10: limit: got \"-1\", expected an integer from 0"},
      {"groups:\n- name: a\n  limit: '1'\n", "f:3:10: limit: got \"1\", expected an integer"},
      {"groups:\n- name: a\n  rules: 5\n", "f:3:10: rules: got \"5\", expected a list"},
      {"groups: x", "f:1:9: groups: got \"x\", expected a list"},
      {"[1, 2]", "f:1:1: got a list, expected the file, a map"},
      {"groups:\n- name: a\n  rules:\n  - expr: up\n", "f:4:5: a rule must have alert or record"},
      {"groups:\n- name: a\n  rules:\n  - alert: A\n", "f:4:5: expr: a rule must have an expression"},
      {"groups:\n- name: a\n  rules:\n  - {alert: A, record: b, expr: up}\n",
       "f:4:5: a rule has either record or alert"},
      {"groups:\n- name: a\n  rules:\n  - {record: b, expr: up, for: 1m}\n", "for: only a rule with alert may have it"},
      {"groups:\n- name: a\n  rules:\n  - {record: b, expr: up, annotations: {a: b}}\n", "only a rule with alert"},
      {"groups:\n- name: a\n  rules:\n  - {record: 'b{c=\"d\"}', expr: up}\n", "record: got"},
      {"groups:\n- name: a\n  rules:\n  - alert: A\n    expr: up ==\n", "f:5:"},
      {"groups:\n- name: a\n  rules:\n  - alert: A\n    expr: sum(rate(x))\n", "f:5:20: expr: at 1:10:"},
      {"groups:\n- name: a\n  rules:\n  - alert: A\n    expr: |\n      sum(\n        rate(x))\n",
       "f:7:14: expr: at 2:8:"},
      {"groups:\n- name: a\n  rules:\n  - alert: A\n    expr: up[5m]\n", "expected an instant vector or a scalar"},
      {"groups:\n- name: a\n  rules:\n  - alert: A\n    expr: up\n    for: -5m\n", "f:6:10: for: got \"-5m\""},
      {"groups:\n- name: a\n  rules:\n  - alert: A\n    expr: up\n    labels: {a-b: c}\n",
       "f:6:14: labels: got \"a-b\""},
      {"groups:\n- name: a\n  rules:\n  - alert: A\n    expr: up\n    labels: {alertname: c}\n",
       "alertname is the name"},
      {"groups:\n- name: a\n  rules:\n  - alert: A\n    expr: up\n    labels: {a: [b]}\n", "labels: a: got a list"},
      {"groups:\n- name: a\n  rules:\n  - alert: A\n    expr: up\n    annotations: {s: \"{{ $x }}\"}\n",
       "f:6:26: annotations: s: the template: at 1:4: the variable $x is not defined"},
      {"groups:\n- name: a\n  rules:\n  - alert: A\n    expr: up\n    annotations: {s: '{{ toTime 1 }}'}\n",
       "the function toTime is not supported"},
      {"groups: [\n", "not valid YAML"},
      {"groups: []\n---\ngroups: []\n", "f:3:1: a second document begins"},
      {"groups: !!python/object []\n", "expected none"},
      {"a: &x [*x]\n", "the alias refers to a node that contains it"},
  };
  for (const Case& one : cases) EXPECT_THAT(faults(one.text), HasSubstr(one.fault)) << one.text;
}

TEST(RuleFile, MergesMapsAsYamlDoes) {
  const RuleFile file = parse_rule_file(R"(groups:
- name: g
  rules:
  - &base
    alert: A
    expr: up == 0
    for: 5m
    labels: &page {severity: page, team: a}
  - alert: B
    labels: {<<: [*page, {team: b, more: c}], severity: info}
    <<: *base
  - {"<<": x, alert: C}
)",
                                        "f");
  EXPECT_EQ(file.fault_text("f"),
            "f:12:5: expr: a rule must have an expression\n"
            "f:12:6: a rule has no key \"<<\"; expected one of record, alert, expr, for, keep_firing_for, labels, "
            "annotations")
      << "a quoted key is a text";
  const RuleFile good = parse_rule_file(R"(groups:
- name: g
  rules:
  - &base {alert: A, expr: up == 0, for: 5m, labels: &page {severity: page, team: a}}
  - alert: B
    labels: {<<: [*page, {team: b, more: c}], severity: info}
    <<: *base
)",
                                        "f");
  ASSERT_EQ(good.fault_text("f"), "");
  const Rule& merged = good.groups.at(0).rules.at(1);
  EXPECT_EQ(merged.name, "B");
  EXPECT_EQ(merged.for_ms, 300'000);
  std::string labels;
  for (const auto& one : merged.labels) labels += one.name + "=" + one.text() + " ";
  EXPECT_EQ(labels, "more=c severity=info team=a ");
  EXPECT_THAT(faults("groups: []\n<<: 5\n"), HasSubstr("f:2:5: <<: got a text, expected a map to merge"));
  EXPECT_THAT(faults("<<: [{groups: []}, 5]\n"), HasSubstr("f:1:20: <<: got a text, expected a map to merge"));
}

TEST(RuleFile, ReportsSeveralFaultsAtOnce) {
  const std::string text =
      faults("groups:\n- name: a\n  interval: x\n  limit: y\n  rules:\n  - {alert: A, expr: '1 +'}\n");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
}

TEST(RuleFile, BoundsHostileFiles) {
  const auto start = std::chrono::steady_clock::now();
  const auto repeated = [](const std::string& one, size_t n) {
    std::string all;
    for (size_t i = 0; i < n; ++i) all += one;
    return all;
  };
  EXPECT_THAT(faults(std::string(5U << 20U, 'x')), HasSubstr("the file has more than 4.0 MiB"));
  EXPECT_THAT(faults(repeated("[", 100'000)), HasSubstr("nested more than"));
  EXPECT_THAT(faults(repeated("- ", 100'000)), HasSubstr("f:"));
  EXPECT_THAT(faults(repeated("{a: ", 10'000)), HasSubstr("nested more than"));
  EXPECT_THAT(faults("a: [" + repeated("1,", 600'000) + "]"), HasSubstr("more than 500000 values"));
  EXPECT_THAT(faults(std::string("groups:\0", 8)), HasSubstr("zero byte"));
  EXPECT_THAT(faults("groups: \xff\xfe"), HasSubstr("not UTF-8"));
  // A bomb of aliases, each of which names the one before ten times.
  std::string bomb = "a0: &a0 {alert: A, expr: up}\n";
  for (int i = 1; i < 10; ++i) {
    const std::string ref = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + repeated(ref + ",", 9) + ref + "]\n";
  }
  EXPECT_THAT(faults(bomb + "groups: *a9\n"), HasSubstr("f:"));
  // One rule named by aliases more often than a file may have rules.
  EXPECT_THAT(faults("x: &r {alert: A, expr: up}\ngroups:\n- name: a\n  rules: [" + repeated("*r,", 10'001) + "]\n"),
              HasSubstr("more than 10000 rules"));
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_LT(std::chrono::duration_cast<std::chrono::seconds>(took).count(), 20);
}

TEST(RuleFile, SharesWhatAnAnchorNames) {
  const RuleFile file = parse_rule_file(R"(groups:
- name: a
  rules:
  - {alert: A, expr: up == 0, labels: &l {severity: page}}
  - {alert: B, expr: up == 0, labels: *l}
)",
                                        "f");
  ASSERT_EQ(file.fault_text("f"), "");
  EXPECT_EQ(file.groups[0].rules[1].labels[0].text(), "page");
}

TEST(RuleFile, CountsTextsEachTimeThatAnAliasUsesThem) {
  std::string text = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: x, annotations: &a {summary: '" +
                     std::string(60'000, 'x') + "'}}\n";
  for (int i = 0; i < 1000; ++i) text += "  - {alert: A, expr: x, annotations: *a}\n";
  EXPECT_THAT(faults(text), HasSubstr("more than 32 MiB of text"));
}

}  // namespace
}  // namespace monitor::rules

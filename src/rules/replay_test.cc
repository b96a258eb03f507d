// Replays: when alerts would have been pending, firing and over, and how a replay is bounded.
#include "rules/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "rules/memory_store.h"

namespace monitor::rules {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kStart = 1'700'000'100'000;  // a multiple of the interval
constexpr int64_t kStep = 15'000;

std::vector<Group> groups_of(const std::string& rules, const std::string& of_group = "") {
  RuleFile file = parse_rule_file("groups:\n- name: g\n  interval: 15s\n" + of_group + "  rules:\n" + rules, "f");
  EXPECT_EQ(file.fault_text("f"), "");
  return std::move(file.groups);
}

std::string alert(const std::string& more, const std::string& expression = "m > 10") {
  return "  - alert: A\n    expr: " + expression + "\n" + more;
}

class ReplayTest : public ::testing::Test {
 protected:
  // One value for each step from kStart on.
  void have(const std::string& agent, const std::vector<double>& values) {
    for (size_t i = 0; i < values.size(); ++i) {
      const query::Labels labels({{"__name__", "m"}, {"agent", agent}});
      ASSERT_TRUE(data_.append(labels, {kStart + static_cast<int64_t>(i) * kStep, values[i]}));
    }
    options_.from_ms = kStart;
    options_.to_ms = std::max(options_.to_ms, kStart + static_cast<int64_t>(values.size() - 1) * kStep);
  }
  // "AGENT active..fired..resolved", in steps; - for what never was.
  std::vector<std::string> episodes(const std::vector<Group>& groups) {
    const auto report = replay(groups, data_, options_);
    EXPECT_TRUE(report) << report.error().message();
    std::vector<std::string> all;
    const auto step_of = [](int64_t ms) { return ms == 0 ? "-" : std::to_string((ms - kStart) / kStep); };
    for (const ReplayEpisode& one : episodes_of(*report)) {
      all.push_back(std::string(one.alert.labels.get("agent")) + " " + step_of(one.active_at_ms) + ".." +
                    step_of(one.fired_at_ms) + ".." + step_of(one.resolved_at_ms));
    }
    return all;
  }

  MemoryStore data_;
  ReplayOptions options_;
};

TEST_F(ReplayTest, TellsWhenAlertsWereActive) {
  have("a", {1, 11, 12, 13, 1, 1, 20, 1, 1});  // fires, and later is pending only
  have("b", {1, 1, 1, 1, 1, 1, 1, 11, 11});    // is pending at the end
  EXPECT_THAT(episodes(groups_of(alert("    for: 30s\n"))),
              testing::ElementsAre("a 1..3..4", "a 6..-..7", "b 7..-..-"));
  EXPECT_THAT(episodes(groups_of(alert(""))), testing::ElementsAre("a 1..1..4", "a 6..6..7", "b 7..7..-"));
  // Found again in step 6, before 30 s are over.
  EXPECT_THAT(episodes(groups_of(alert("    keep_firing_for: 30s\n"))), testing::ElementsAre("a 1..1..-", "b 7..7..-"));
}

TEST_F(ReplayTest, EpisodesHaveTheTextsOfTheFiring) {
  have("a", {11, 12, 13, 1});
  const auto report =
      replay(groups_of(alert("    for: 30s\n    annotations: {summary: '{{ $labels.agent }} {{ $value }}'}\n")), data_,
             options_);
  ASSERT_TRUE(report);
  const auto all = episodes_of(*report);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].alert.annotations[0].second, "a 13");
  EXPECT_EQ(all[0].alert.value, 13);
  EXPECT_EQ(report->groups[0].step_ms, kStep);
}

TEST_F(ReplayTest, EndsAlertsOfARuleAboveItsLimit) {
  have("a", {11, 11, 11, 11});
  have("b", {1, 1, 11, 11});
  const auto groups = groups_of(alert(""), "  limit: 1\n");
  EXPECT_THAT(episodes(groups), testing::ElementsAre("a 0..0..2"));
  const auto report = replay(groups, data_, options_);
  ASSERT_TRUE(report);
  EXPECT_THAT(report->failures, testing::ElementsAre(HasSubstr("A: exceeded limit of 1")));
}

TEST_F(ReplayTest, TakesLongerStepsInsteadOfTooManyEvaluations) {
  have("a", std::vector<double>(100, 11));
  options_.most_evaluations = 40;
  const auto report = replay(groups_of(alert("")), data_, options_);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->groups[0].interval_ms, kStep);
  EXPECT_EQ(report->groups[0].step_ms, 3 * kStep);
  EXPECT_LE(report->evaluations, 40U);
  EXPECT_GE(report->evaluations, 33U);
}

TEST_F(ReplayTest, EndsWhenTheCheckSaysSo) {
  have("a", std::vector<double>(1000, 11));
  int calls = 0;
  options_.query.limits.check = [&calls]() -> Status {
    return ++calls > 5 ? Status(Error(Code::kCancelled, "gone")) : Status();
  };
  const auto report = replay(groups_of(alert("")), data_, options_);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), Code::kCancelled);
}

TEST_F(ReplayTest, BoundsWhatItKeeps) {
  std::vector<double> flapping;
  for (int i = 0; i < 1000; ++i) flapping.push_back(i % 2 == 0 ? 11 : 1);
  have("a", flapping);
  options_.most_changes = 100;
  auto report = replay(groups_of(alert("")), data_, options_);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message(), HasSubstr("more than 100 changes"));
  options_.most_changes = 1'000'000;
  options_.most_bytes = size_t{1} << 20;
  const std::string text = std::string(30'000, 'x') + "{{ $value }}";
  report = replay(groups_of(alert("    annotations: {summary: '" + text + "'}\n")), data_, options_);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), Code::kResourceExhausted);
  EXPECT_THAT(report.error().message(), HasSubstr("more than 1 MiB"));
}

TEST_F(ReplayTest, BoundsTheTextsOfAnEvaluation) {
  for (int i = 0; i < 20; ++i) have("agent-" + std::to_string(i), {11});
  options_.most_text_bytes = 5'000;
  const std::string text = std::string(1'000, 'x') + "{{ $value }}";
  const auto report = replay(groups_of(alert("    annotations: {summary: '" + text + "'}\n")), data_, options_);
  ASSERT_TRUE(report);
  size_t cut = 0;
  for (const ReplayChange& one : report->changes) {
    cut += one.alert.annotations[0].second.starts_with("<the texts") ? 1 : 0;
  }
  EXPECT_EQ(report->changes.size(), 20U) << "the alerts are there all the same";
  EXPECT_EQ(cut, 15U);
}

TEST_F(ReplayTest, KeepsOneAlertWithWhatIsRecorded) {
  auto groups = groups_of("  - record: r\n    expr: m * 2\n" + alert("", "r > 20") + "  - alert: B\n    expr: m > 1\n");
  ASSERT_TRUE(keep_only_alert("A", groups));
  ASSERT_EQ(groups[0].rules.size(), 2U);
  have("a", {1, 11, 1});
  EXPECT_THAT(episodes(groups), testing::ElementsAre("a 1..1..2"));
  EXPECT_FALSE(keep_only_alert("C", groups));
}

}  // namespace
}  // namespace monitor::rules

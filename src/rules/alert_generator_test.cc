// The states of alerts in the cases of the Alert Generator specification
// (https://github.com/prometheus/compliance, alert_generator/specification.md), as tables: the values of a metric at
// each evaluation, and what the rule must be then.
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/testing/fake_clock.h"
#include "query/testing/memory_source.h"
#include "rules/engine.h"
#include "rules/memory_store.h"

namespace monitor::rules {
namespace {

constexpr int64_t kStep = 30'000;
constexpr int64_t kT0 = 1'700'000'100'000;

class LastUpdate final : public AlertSink {
 public:
  void update(std::span<const Alert> alerts, int64_t /*evaluated_at_ms*/) override {
    alerts_.assign(alerts.begin(), alerts.end());
  }
  // The alert of this name; nullptr: the sink was not told of one.
  const Alert* find(const std::string& name) const {
    for (const Alert& one : alerts_) {
      if (one.labels.get("alertname") == name) return &one;
    }
    return nullptr;
  }

 private:
  std::vector<Alert> alerts_;
};

// Evaluates a group of rules once every 30 s.
class Evaluations {
 public:
  explicit Evaluations(const std::string& rules) {
    RuleFile file = parse_rule_file("groups:\n- name: g\n  interval: 30s\n  rules:\n" + rules, "f");
    EXPECT_EQ(file.fault_text("f"), "");
    engine_.set_sink(&sink_);
    EXPECT_TRUE(engine_.replace(std::move(file.groups)));
    advance(kT0);
    next_ms_ = engine_.groups().at(0).evaluated_at_ms + kStep;
  }

  // A value of the metric, "_" for none, or "end" for the end of the series.
  void step(const std::string& value, const std::string& variant = "one") {
    if (value != "_") {
      const double number = value == "end" ? query::stale_marker() : std::stod(value);
      data_.add(query::Labels({{"__name__", "m"}, {"variant", variant}}), {next_ms_ - 1, number});
    }
  }
  void evaluate() {
    advance(next_ms_);
    now_ms_ = next_ms_;
    next_ms_ += kStep;
  }
  int64_t now_ms() const { return now_ms_; }
  const LastUpdate& sink() const { return sink_; }
  RuleStatus rule(size_t index) { return engine_.groups().at(0).rules.at(index); }

  // "." inactive, "p" pending, "f" firing; "r": the sink is told that it is resolved.
  char state(const std::string& name, size_t index = 0) {
    const RuleStatus status = rule(index);
    if (!status.alerts.empty()) return status.alerts[0].state == AlertState::kFiring ? 'f' : 'p';
    const Alert* const told = sink_.find(name);
    return told != nullptr && told->state == AlertState::kResolved ? 'r' : '.';
  }

 private:
  void advance(int64_t to_ms) { ASSERT_TRUE(engine_.advance({.watermark_ms = to_ms, .now_ms = to_ms})); }

  FakeClock clock_;
  telemetry::Registry registry_;
  query::MemorySource data_;
  MemoryStore store_;
  LastUpdate sink_;
  Engine engine_{EngineOptions{}, data_, store_, clock_, registry_};
  int64_t next_ms_ = 0;
  int64_t now_ms_ = 0;
};

struct Case {
  const char* name;
  const char* rule;    // the lines after the expression
  const char* values;  // at each evaluation
  const char* states;
};

class AlertGenerator : public testing::TestWithParam<Case> {};

TEST_P(AlertGenerator, HasTheStatesOfTheSpecification) {
  Evaluations run(std::string("  - alert: A\n    expr: m > 10\n") + GetParam().rule);
  std::istringstream values(GetParam().values);
  std::string states;
  for (std::string value; values >> value;) {
    run.step(value);
    run.evaluate();
    states += run.state("A");
  }
  EXPECT_EQ(states, GetParam().states);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, AlertGenerator,
    testing::Values(Case{"PendingAndFiringAndResolved", "    for: 6m\n",
                         "3 11 11 11 11 11 11 11 11 11 11 11 11 11 11 9 9", ".ppppppppppppffrr"},
                    Case{"PendingAndResolved", "    for: 3m\n", "11 15 11 11 9 9", "pppp.."},
                    Case{"AlwaysInactive", "    for: 3m\n", "5 9 10 3", "...."},
                    Case{"ZeroFor", "", "5 11 11 5", ".ffr"},
                    Case{"ForShorterThanTheInterval", "    for: 15s\n", "11 11 11 5", "pffr"},
                    Case{"ForOfOneInterval", "    for: 30s\n", "11 11 5", "pfr"},
                    Case{"AnInterruptionBeginsAnew", "    for: 1m\n", "11 11 5 11 11 11", "pp.ppf"},
                    Case{"ActiveAgainAfterItWasResolved", "    for: 1m\n", "11 11 11 5 11 11 11 5", "ppfrppfr"},
                    Case{"FiresAgainAfterItWasResolved", "", "11 5 11 5", "frfr"},
                    Case{"AValueCountsForFiveMinutes", "", "11 _ _ _ _ _ _ _ _ _ _", "ffffffffffr"},
                    Case{"TheSeriesEnds", "", "11 11 end _", "ffrr"},
                    Case{"KeptFiring", "    keep_firing_for: 1m\n", "11 5 5 5 5", "fffrr"}),
    [](const auto& one) { return one.param.name; });

TEST(AlertGeneratorTest, TellsWhenItFiredAndWasResolved) {
  Evaluations run("  - {alert: A, expr: m > 10, for: 1m, annotations: {value: '{{ $value }}'}}\n");
  std::vector<int64_t> times;
  for (const char* const value : {"11", "12", "13", "14", "5"}) {
    run.step(value);
    run.evaluate();
    times.push_back(run.now_ms());
    const Alert* const told = run.sink().find("A");
    const bool fires = times.size() == 3 || times.size() == 4;
    if (times.size() < 3) {
      EXPECT_TRUE(told == nullptr || told->state == AlertState::kPending);
    }
    if (!fires) continue;
    ASSERT_NE(told, nullptr);
    EXPECT_EQ(told->state, AlertState::kFiring) << "at each evaluation, so that it can be sent again";
    EXPECT_EQ(told->active_at_ms, times[0]);
    EXPECT_EQ(told->fired_at_ms, times[2]) << "startsAt";
    EXPECT_EQ(told->annotations.at(0).second, value) << "the latest";
  }
  const Alert* const told = run.sink().find("A");
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->state, AlertState::kResolved);
  EXPECT_EQ(told->fired_at_ms, times[2]) << "startsAt";
  EXPECT_EQ(told->resolved_at_ms, times[4]) << "endsAt";
  for (int i = 0; i < 30; ++i) run.evaluate();
  EXPECT_NE(run.sink().find("A"), nullptr) << "for 15 minutes";
  run.evaluate();
  EXPECT_EQ(run.sink().find("A"), nullptr);
}

TEST(AlertGeneratorTest, AnActiveAlertReplacesTheResolvedOne) {
  Evaluations run("  - {alert: A, expr: m > 10, for: 30s}\n");
  for (const char* const value : {"11", "11", "5", "11"}) {
    run.step(value);
    run.evaluate();
  }
  const Alert* const told = run.sink().find("A");
  EXPECT_TRUE(told == nullptr || told->state == AlertState::kPending) << "nobody is told again that it is resolved";
}

TEST(AlertGeneratorTest, LaterRulesSeeTheAlertsOfEarlierOnes) {
  Evaluations run(
      "  - {alert: First, expr: m > 10, for: 1m, labels: {foo: bar}}\n"
      "  - alert: Second\n"
      "    expr: >-\n"
      "      (ALERTS{alertstate='firing', alertname='First', variant='one'}\n"
      "       + ignoring(variant) ALERTS{alertstate='firing', alertname='First', variant='two'}) == 2\n"
      "    labels: {foo: baz}\n"
      "    annotations: {text: 'of {{ $labels.alertname }}, foo was {{ .Labels.foo }}'}\n");
  std::string states;
  for (int i = 0; i < 5; ++i) {
    run.step("11", "one");
    if (i > 0) run.step("11", "two");
    run.evaluate();
    states += run.state("Second", 1);
  }
  EXPECT_EQ(states, "...ff") << "in the same evaluation in which both fire";
  const Alert* const told = run.sink().find("Second");
  ASSERT_NE(told, nullptr);
  EXPECT_EQ(told->annotations.at(0).second, "of First, foo was bar");
  EXPECT_EQ(told->labels.get("foo"), "baz");
}

TEST(AlertGeneratorTest, EqualLabelsAreAnErrorAndTellNobody) {
  Evaluations run("  - {alert: A, expr: m > 10, labels: {variant: same}}\n  - {alert: B, expr: sum(m) > 10}\n");
  run.step("11", "one");
  run.step("11", "two");
  run.evaluate();
  EXPECT_NE(run.rule(0).error, "");
  EXPECT_EQ(run.sink().find("A"), nullptr);
  EXPECT_EQ(run.state("B", 1), 'f') << "the rules after it go on";
}

}  // namespace
}  // namespace monitor::rules

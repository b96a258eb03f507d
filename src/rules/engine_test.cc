// The engine: the states of alerts as the Alert Generator specification demands them, evaluation on the watermark, and
// state that survives a restart.
#include "rules/engine.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <set>

#include "base/clock.h"
#include "base/testing/fake_clock.h"
#include "base/testing/temporary_folder.h"
#include "query/parser.h"
#include "query/testing/memory_source.h"
#include "rules/layered_source.h"
#include "rules/memory_store.h"
#include "rules/sqlite_store.h"

namespace monitor::rules {
namespace {

constexpr int64_t kStep = 15'000;
// A multiple of every interval used here.
constexpr int64_t kT0 = 1'700'000'100'000;

class RecordingSink final : public AlertSink {
 public:
  void update(std::span<const Alert> alerts, int64_t evaluated_at_ms) override {
    last.assign(alerts.begin(), alerts.end());
    times.push_back(evaluated_at_ms);
  }
  std::vector<Alert> last;
  std::vector<int64_t> times;
};

std::vector<Group> groups_of(const std::string& text) {
  RuleFile file = parse_rule_file(text, "f");
  EXPECT_EQ(file.fault_text("f"), "");
  return std::move(file.groups);
}

std::string rule(const std::string& rest, const std::string& of_group = "") {
  return "groups:\n- name: g\n  interval: 15s\n" + of_group + "  rules:\n  - alert: A\n    expr: m > 10\n" + rest;
}

class EngineTest : public testing::Test {
 protected:
  void start(const std::string& text) {
    engine = std::make_unique<Engine>(EngineOptions{}, data, *store, clock, registry);
    engine->set_sink(&sink);
    ASSERT_TRUE(engine->replace(groups_of(text)));
  }
  void point(int64_t at_ms, double value, const std::string& agent = "a") {
    data.add(query::Labels({{"__name__", "m"}, {"agent", agent}}), {at_ms, value});
  }
  // Moves the watermark; the data is there. The evaluation is at this time, or less than an interval before it.
  void advance(int64_t to_ms, const std::set<std::string>& silent = {}) {
    Progress progress{.watermark_ms = to_ms, .now_ms = to_ms};
    progress.undelivered = [&silent](const query::Labels& labels, int64_t /*at_ms*/) {
      return silent.contains(std::string(labels.get("agent")));
    };
    ASSERT_TRUE(engine->advance(progress));
  }
  // The states of the alerts by agent, without those that are resolved.
  std::map<std::string, AlertState> states() {
    std::map<std::string, AlertState> found;
    for (const GroupStatus& group : engine->groups()) {
      for (const RuleStatus& one : group.rules) {
        for (const Alert& alert : one.alerts) found[std::string(alert.labels.get("agent"))] = alert.state;
      }
    }
    return found;
  }
  size_t count(const std::string& expression, int64_t at_ms) {
    LayeredSource source(data, *store);
    const auto parsed = query::parse(expression);
    const auto result = query::evaluate(**parsed, source, {.start_ms = at_ms, .end_ms = at_ms});
    EXPECT_TRUE(result);
    return result ? result->series.size() : 0;
  }
  int64_t evaluated() { return engine->groups().at(0).evaluated_at_ms; }

  FakeClock clock;
  telemetry::Registry registry;
  query::MemorySource data;
  std::unique_ptr<ResultStore> store = std::make_unique<MemoryStore>();
  RecordingSink sink;
  std::unique_ptr<Engine> engine;
};

TEST_F(EngineTest, IsPendingThenFiringThenResolved) {
  start(rule("    for: 30s\n    annotations: {s: '{{ $value }}'}\n"));
  point(kT0 - 20'000, 11);
  advance(kT0);
  EXPECT_EQ(states()["a"], AlertState::kPending);
  const int64_t first = evaluated();
  advance(first + kStep);
  EXPECT_EQ(states()["a"], AlertState::kPending);
  EXPECT_EQ(count("ALERTS{alertstate='pending', alertname='A', agent='a'}", first + kStep), 1U);
  point(first + 2 * kStep - 1, 12);
  advance(first + 2 * kStep);
  ASSERT_EQ(states()["a"], AlertState::kFiring);
  EXPECT_EQ(count("ALERTS{alertstate='firing'}", first + 2 * kStep), 1U);
  EXPECT_EQ(count("ALERTS{alertstate='pending'}", first + 2 * kStep), 0U) << "the old series has ended";
  EXPECT_EQ(count("ALERTS_FOR_STATE == " + std::to_string(first / 1000), first + 2 * kStep), 1U);
  ASSERT_EQ(sink.last.size(), 1U);
  EXPECT_EQ(sink.last[0].active_at_ms, first);
  EXPECT_EQ(sink.last[0].fired_at_ms, first + 2 * kStep);
  EXPECT_EQ(sink.last[0].annotations[0].second, "12");
  EXPECT_EQ(sink.last[0].group, "f;g");
  point(first + 3 * kStep - 1, 1);
  advance(first + 3 * kStep);
  EXPECT_TRUE(states().empty());
  ASSERT_EQ(sink.last.size(), 1U);
  EXPECT_EQ(sink.last[0].state, AlertState::kResolved);
  EXPECT_EQ(sink.last[0].resolved_at_ms, first + 3 * kStep);
  EXPECT_EQ(sink.last[0].fired_at_ms, first + 2 * kStep);
  EXPECT_EQ(count("ALERTS", first + 3 * kStep), 0U);
  // Told for 15 minutes, and then no more.
  advance(first + 3 * kStep + kReportResolvedMs);
  EXPECT_EQ(sink.last.size(), 1U);
  advance(first + 4 * kStep + kReportResolvedMs);
  EXPECT_EQ(sink.last.size(), 0U);
}

TEST_F(EngineTest, FiresAtOnceWithoutFor) {
  start(rule(""));
  point(kT0 - 20'000, 11);
  advance(kT0);
  EXPECT_EQ(states()["a"], AlertState::kFiring);
}

TEST_F(EngineTest, FiresAtTheNextEvaluationIfForIsShorterThanTheInterval) {
  start(rule("    for: 5s\n"));
  point(kT0 - 20'000, 11);
  advance(kT0);
  EXPECT_EQ(states()["a"], AlertState::kPending);
  advance(kT0 + kStep);
  EXPECT_EQ(states()["a"], AlertState::kFiring);
}

TEST_F(EngineTest, APendingAlertThatEndsIsForgotten) {
  start(rule("    for: 1m\n"));
  point(kT0 - 20'000, 11);
  advance(kT0);
  point(kT0, 1);
  advance(kT0 + kStep);
  EXPECT_TRUE(states().empty());
  EXPECT_TRUE(sink.last.empty());
}

TEST_F(EngineTest, ANewAlertAfterAResolvedOneBeginsAnew) {
  start(rule(""));
  point(kT0 - 20'000, 11);
  advance(kT0);
  point(kT0, 1);
  advance(kT0 + kStep);
  point(kT0 + kStep, 11);
  advance(kT0 + 2 * kStep);
  ASSERT_EQ(sink.last.size(), 1U);
  EXPECT_EQ(sink.last[0].state, AlertState::kFiring);
  EXPECT_EQ(sink.last[0].active_at_ms, evaluated());
  EXPECT_EQ(sink.last[0].resolved_at_ms, 0);
}

TEST_F(EngineTest, KeepsFiringForAWhile) {
  start(rule("    keep_firing_for: 30s\n"));
  point(kT0 - 20'000, 11);
  advance(kT0);
  point(kT0, 1);
  advance(kT0 + kStep);
  EXPECT_EQ(states()["a"], AlertState::kFiring);
  advance(kT0 + 2 * kStep);
  EXPECT_EQ(states()["a"], AlertState::kFiring);
  advance(kT0 + 3 * kStep);
  EXPECT_TRUE(states().empty());
}

TEST_F(EngineTest, EqualLabelsAreAnErrorAndChangeNothing) {
  start(rule("    labels: {agent: same}\n"));
  point(kT0 - 20'000, 11, "a");
  advance(kT0);
  EXPECT_EQ(states().size(), 1U);
  point(kT0, 11, "b");
  advance(kT0 + kStep);
  const RuleStatus status = engine->groups().at(0).rules.at(0);
  EXPECT_NE(status.error.find("same labels"), std::string::npos);
  EXPECT_EQ(states().size(), 1U);
}

TEST_F(EngineTest, ALimitEndsAllAlertsOfTheRule) {
  start(rule("", "  limit: 1\n"));
  point(kT0 - 20'000, 11, "a");
  point(kT0 - 20'000, 11, "b");
  advance(kT0);
  EXPECT_EQ(engine->groups().at(0).rules.at(0).error, "exceeded limit of 1 with 2 alerts");
  EXPECT_TRUE(states().empty());
}

TEST_F(EngineTest, LaterRulesSeeWhatEarlierOnesWrote) {
  start(
      "groups:\n- name: g\n  interval: 15s\n  rules:\n  - {record: 'm:max', expr: max(m)}\n"
      "  - {alert: B, expr: 'm:max > 10'}\n  - {alert: C, expr: 'ALERTS{alertname=\"B\", alertstate=\"firing\"}'}\n");
  point(kT0 - 20'000, 11);
  advance(kT0);
  size_t alerts = 0;
  for (const Alert& one : sink.last) alerts += one.state == AlertState::kFiring ? 1 : 0;
  EXPECT_EQ(alerts, 2U);
}

TEST_F(EngineTest, WaitsForTheWatermarkAndEvalDelay) {
  start(rule("", "  eval_delay: 20s\n"));
  point(kT0 - 60'000, 1);
  advance(kT0);
  const int64_t first = evaluated();
  EXPECT_LE(first, kT0 - 20'000);
  advance(first + kStep + 19'999);
  EXPECT_EQ(evaluated(), first);
  advance(first + kStep + 20'000);
  EXPECT_EQ(evaluated(), first + kStep);
}

TEST_F(EngineTest, CatchesUpOneByOneAndTellsOnlyTheLast) {
  start(rule("    for: 1m\n"));
  point(kT0 - 20'000, 1);
  advance(kT0);
  const int64_t first = evaluated();
  // For 2 minutes after that, the value was high. All of it arrives at once.
  for (int64_t at = first + 1000; at <= first + 120'000; at += 1000) point(at, 11);
  const size_t told = sink.times.size();
  advance(first + 120'000);
  EXPECT_EQ(sink.times.size(), told + 1);
  ASSERT_EQ(sink.last.size(), 1U);
  EXPECT_EQ(sink.last[0].active_at_ms, first + kStep);
  EXPECT_EQ(sink.last[0].fired_at_ms, first + kStep + 60'000);
}

TEST_F(EngineTest, CountsEvaluationsThatAreTooFarBack) {
  start(rule(""));
  advance(kT0);
  advance(kT0 + int64_t{3} * 3600 * 1000);
  EXPECT_NE(registry.text().find("monitor_rules_missed_evaluations_total 480"), std::string::npos) << registry.text();
}

// Each look at this metric takes 5 s.
class SlowSource final : public query::SeriesSource {
 public:
  SlowSource(query::SeriesSource& data, FakeClock& clock) : data_(data), clock_(clock) {}
  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                  int64_t to_ms) override {
    const bool slow = std::ranges::any_of(matchers, [](const auto& one) { return one.matches("slow"); });
    looks[slow ? "slow" : "quick"].push_back(to_ms);
    if (slow) clock_.advance(5 * kNanosPerSecond);
    return data_.select(matchers, from_ms, to_ms);
  }
  std::map<std::string, std::vector<int64_t>> looks;

 private:
  query::SeriesSource& data_;
  FakeClock& clock_;
};

TEST_F(EngineTest, AGroupThatIsSlowerThanItsIntervalMissesEvaluationsAndDelaysNobodyForLong) {
  SlowSource source(data, clock);
  engine = std::make_unique<Engine>(EngineOptions{}, source, *store, clock, registry);
  ASSERT_TRUE(
      engine->replace(groups_of("groups:\n- {name: s, interval: 1s, rules: [{record: a, expr: slow}]}\n"
                                "- {name: q, interval: 1s, rules: [{record: b, expr: quick}]}\n")));
  advance(kT0);
  source.looks.clear();
  for (int i = 1; i <= 10; ++i) advance(kT0 + i * 5'000);
  EXPECT_EQ(source.looks["slow"].size(), 10U) << "the newest one each time";
  EXPECT_EQ(source.looks["quick"].size(), 50U) << "each of them";
  EXPECT_NE(registry.text().find("monitor_rules_missed_evaluations_total 40\n"), std::string::npos) << registry.text();
  for (const GroupFigures& one : engine->figures()) EXPECT_LT(one.delay_seconds, 1) << one.name;
}

TEST_F(EngineTest, MissingDataResolvesNoAlert) {
  start(rule(""));
  point(kT0 - 20'000, 11, "a");
  point(kT0 - 20'000, 11, "b");
  advance(kT0);
  const int64_t later = kT0 + 400'000;  // beyond the look-back: neither has a value
  advance(later, {"a"});
  EXPECT_EQ(states(), (std::map<std::string, AlertState>{{"a", AlertState::kFiring}}));
  // The data of that time arrives: it was all right.
  point(later, 1, "a");
  advance(later + kStep);
  EXPECT_TRUE(states().empty());
}

TEST_F(EngineTest, TimeWithoutDataDoesNotCountForFor) {
  start(rule("    for: 1m\n"));
  point(kT0 - 20'000, 11);
  advance(kT0);
  const int64_t first = evaluated();
  // The agent is cut off. Its last value is still found, and later none.
  for (int64_t at = first + kStep; at <= first + 450'000; at += kStep) {
    advance(at, {"a"});
    ASSERT_EQ(states()["a"], AlertState::kPending) << (at - first) / 1000;
  }
  // It is back, and still too high.
  point(first + 464'000, 11);
  advance(first + 465'000);
  EXPECT_EQ(states()["a"], AlertState::kPending);
  advance(first + 465'000 + 3 * kStep);
  EXPECT_EQ(states()["a"], AlertState::kFiring);
}

TEST_F(EngineTest, WhatIsKnownOfAgentsNeverComesLate) {
  start(
      "groups:\n- name: g\n  interval: 15s\n  rules:\n"
      "  - {alert: A, expr: 'label_replace(vector(time()), \"agent\", \"a\", \"\", \"\") < 1700000110'}\n");
  advance(kT0);
  EXPECT_EQ(states().size(), 1U);
  advance(kT0 + 2 * kStep, {"a"});
  EXPECT_TRUE(states().empty()) << "the rule reads no series";
}

TEST_F(EngineTest, ANewSinkIsToldEverythingThatIsFresh) {
  start(rule(""));
  point(kT0 - 20'000, 11);
  advance(kT0);
  RecordingSink other;
  engine->set_sink(&other);
  engine->tell_all(kT0 + 3'600'000);
  EXPECT_TRUE(other.times.empty()) << "that is history";
  engine->tell_all(kT0 + 60'000);
  ASSERT_EQ(other.last.size(), 1U);
  EXPECT_EQ(other.last[0].state, AlertState::kFiring);
}

TEST_F(EngineTest, AReplacedRuleKeepsItsAlertsAndARemovedOneIsResolved) {
  start(rule(""));
  point(kT0 - 20'000, 11);
  advance(kT0);
  const int64_t since = sink.last.at(0).active_at_ms;
  std::string changed = rule("");
  changed.replace(changed.find("> 10"), 4, "> 9");
  ASSERT_TRUE(engine->replace(groups_of(changed)));
  advance(kT0 + kStep);
  EXPECT_EQ(sink.last.at(0).active_at_ms, since);
  ASSERT_TRUE(engine->replace({}));
  ASSERT_EQ(sink.last.size(), 1U);
  EXPECT_EQ(sink.last[0].state, AlertState::kResolved);
  EXPECT_EQ(count("ALERTS", kT0 + kStep + 1000), 0U);
}

class StoredEngineTest : public EngineTest {
 protected:
  StoredEngineTest() { reopen(); }
  ~StoredEngineTest() override {
    engine.reset();
    store.reset();
  }
  void reopen() {
    engine.reset();
    store.reset();
    auto opened = SqliteStore::open({.path = folder.path() + "/rules.db"});
    ASSERT_TRUE(opened) << opened.error().message();
    store = std::move(*opened);
  }
  const TemporaryFolder folder;
};

TEST_F(StoredEngineTest, ContinuesAfterARestart) {
  const std::string text = rule("    for: 1m\n    annotations: {s: 'x {{ $value }}'}\n");
  start(text);
  for (int64_t at = kT0 - 20'000; at < kT0 + 120'000; at += 1000) point(at, 11);
  advance(kT0);
  advance(kT0 + kStep);
  const int64_t last = evaluated();
  const Alert before = sink.last.at(0);
  reopen();
  start(text);
  EXPECT_EQ(engine->groups().at(0).rules.at(0).alerts.at(0), before);
  advance(last + kStep);
  EXPECT_EQ(states()["a"], AlertState::kPending);
  advance(before.active_at_ms + 60'000);
  EXPECT_EQ(states()["a"], AlertState::kFiring);
  EXPECT_EQ(sink.last.at(0).active_at_ms, before.active_at_ms);
  // What was recorded before the restart ends as well.
  EXPECT_EQ(count("ALERTS{alertstate='pending'}", before.active_at_ms + 60'000), 0U);
}

TEST_F(StoredEngineTest, AnEvaluationThatIsNotCommittedNeverWas) {
  start(rule(""));
  point(kT0 - 20'000, 11);
  advance(kT0);
  const int64_t last = evaluated();
  ASSERT_TRUE(store->begin());
  ASSERT_TRUE(store->append(query::Labels(std::vector<query::Labels::Pair>{{"__name__", "x:y"}}), {kT0, 1}));
  ASSERT_TRUE(store->save_group("f;g", last + kStep));
  EXPECT_EQ(count("x:y", kT0), 1U) << "the evaluation itself sees it";
  store->rollback();
  EXPECT_EQ(count("x:y", kT0), 0U);
  reopen();
  start(rule(""));
  EXPECT_EQ(evaluated(), last);
}

TEST_F(StoredEngineTest, ReadersSeeTheSeries) {
  start(rule(""));
  point(kT0 - 20'000, 11);
  advance(kT0);
  ResultReader reader(folder.path() + "/rules.db");
  const auto name = query::Matcher::create(query::Matcher::Kind::kEqual, "__name__", "ALERTS");
  const auto found = reader.select({&*name, 1}, kT0 - 60'000, kT0);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->at(0).labels.get("alertstate"), "firing");
  ResultReader none(folder.path() + "/none.db");
  EXPECT_TRUE(none.select({&*name, 1}, 0, kT0)->empty());
}

TEST_F(StoredEngineTest, ExpiresWhatIsOld) {
  start(rule(""));
  point(kT0 - 20'000, 11);
  advance(kT0);
  auto& sqlite = dynamic_cast<SqliteStore&>(*store);
  EXPECT_EQ(sqlite.series(), 2U);
  ASSERT_TRUE(sqlite.expire(kT0 + int64_t{31} * 86'400'000));
  EXPECT_EQ(sqlite.series(), 0U);
}

TEST_F(StoredEngineTest, OneProcessAtATime) {
  const auto second = SqliteStore::open({.path = folder.path() + "/rules.db"});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kAborted);
}

}  // namespace
}  // namespace monitor::rules

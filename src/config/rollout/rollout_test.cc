#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>

#include "config/rollout/abort_rule.h"
#include "config/rollout/begin.h"
#include "config/rollout/driver.h"
#include "config/rollout/patch.h"
#include "config/rollout/selection.h"
#include "config/rollout/testing/simulated_fleet.h"

namespace monitor::config::rollout {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kSecond = kNanosPerSecond;

// Says what it is told to say.
class ToldJudge final : public Judge {
 public:
  std::vector<Verdict> judge(const Rollout& rollout, const Sight& /*sight*/, int64_t /*now_ns*/) override {
    std::vector<Verdict> verdicts;
    for (const std::string& name : rollout.judges)
      verdicts.push_back({.judgement = name, .outcome = outcome, .why = "told"});
    return verdicts;
  }
  Outcome outcome = Outcome::kGood;
};

class RolloutTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store_.put(group_key("web"), kA);
    for (int i = 0; i < 40; ++i) fleet_.add("web-" + std::to_string(i), {"web"});
    fleet_.add("db-1", {"db"});
  }

  static Request request() {
    Request request;
    request.group = "web";
    request.document = kB;
    request.author = "alice";
    request.message = "a test";
    request.steps = *steps_of({.percent = 5}, {{.percent = 25}, {.percent = 100}});
    request.wait_ns = 60 * kSecond;
    request.patience_ns = 120 * kSecond;
    request.apply_ns = 60 * kSecond;
    request.lease_ns = 600 * kSecond;
    request.abort_on = "failed > 0";
    return request;
  }
  LookOptions options() const { return {.wall_ns = clock_.wall_ns(), .fresh_ns = {}, .life_ns = 0}; }
  Result<Rollout> start(const Request& what) {
    return begin(store_, what, "r" + std::to_string(++started_), options());
  }

  Rollout stored() { return *parse_rollout(*store_.value(rollout_key("web"))); }
  // Drives with turns of the agents until it waits for time, or is over.
  void settle(Driver& driver) {
    for (int i = 0; i < 100; ++i) {
      const auto passed = driver.pass();
      ASSERT_TRUE(passed) << passed.error().message();
      fleet_.turn();
      if (!passed->busy && passed->sight.counts.pending == 0) return;
    }
    FAIL() << "it does not settle";
  }
  void run(Driver& driver, int64_t seconds) {
    for (int64_t i = 0; i < seconds && !is_over(stored().state); i += 5) {
      clock_.advance(5 * kSecond);
      settle(driver);
    }
  }
  size_t running(const std::string& version) {
    size_t count = 0;
    for (const auto& [id, agent] : fleet_.agents)
      count += agent.running && SimulatedFleet::runs(agent) == version ? 1 : 0;
    return count;
  }
  size_t overrides() {
    size_t count = 0;
    for (const auto& [key, stored] : store_.all()) count += kind_of_key(key) == KeyKind::kOverride ? 1 : 0;
    return count;
  }
  Driver driver(const std::string& name = "host:1") {
    return {store_, clock_, "web", {.name = name, .fresh_ns = {}, .judge = &judge_}};
  }

  FakeClock clock_;
  MemoryBatchStore store_{clock_};
  SimulatedFleet fleet_{store_, clock_};
  ToldJudge judge_;
  int started_ = 0;
};

TEST_F(RolloutTest, GoodRolloutGoesThroughItsSteps) {
  ASSERT_TRUE(start(request()));
  Driver one = driver();
  settle(one);
  EXPECT_EQ(running("B"), 2U);  // 5 % of 40
  run(one, 60);
  EXPECT_EQ(running("B"), 10U);
  run(one, 60);
  EXPECT_EQ(running("B"), 40U);
  EXPECT_EQ(*store_.value(group_key("web")), kA);
  run(one, 60);
  EXPECT_EQ(stored().state, State::kDone);
  EXPECT_EQ(*store_.value(group_key("web")), kB);
  EXPECT_EQ(overrides(), 0U);
  EXPECT_EQ(running("B"), 40U);
  // Neither the final document nor the end of the overrides changed what an agent runs.
  for (const auto& [id, agent] : fleet_.agents) EXPECT_EQ(agent.applied, id == "db-1" ? 0U : 2U) << id;
  EXPECT_EQ(SimulatedFleet::runs(fleet_.agents["db-1"]), "");
}

TEST_F(RolloutTest, RefusingAgentEndsItInTheCanary) {
  for (auto& [id, agent] : fleet_.agents) agent.planted = Planted::kRefuses;
  ASSERT_TRUE(start(request()));
  Driver one = driver();
  settle(one);
  run(one, 30);
  const Rollout end = stored();
  EXPECT_EQ(end.state, State::kFailed);
  EXPECT_THAT(end.reason, HasSubstr("failed > 0 held in step 1 of 3 (canary 5%): 2 of 2 changed agents failed"));
  EXPECT_THAT(end.reason, HasSubstr("planted"));
  EXPECT_EQ(overrides(), 0U);
  EXPECT_EQ(running("A"), 40U);
  // The same content again.
  const auto again = start(request());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(again.error().message(), HasSubstr("failed because failed > 0 held"));
  Request retry = request();
  retry.retry = true;
  EXPECT_TRUE(start(retry));
  EXPECT_TRUE(stored().retry);
  EXPECT_EQ(stored().past.size(), 1U);
}

TEST_F(RolloutTest, CrashIsAFailureAndAnOrderlyStopIsNot) {
  ASSERT_TRUE(start(request()));
  Driver one = driver();
  settle(one);
  std::string changed;
  for (const auto& [id, agent] : fleet_.agents) {
    if (SimulatedFleet::runs(agent) == "B") changed = id;
  }
  fleet_.stop(fleet_.agents[changed], true);
  run(one, 5);
  EXPECT_EQ(stored().state, State::kRunning);
  EXPECT_EQ(stored().counts.away, 1U);
  fleet_.start(fleet_.agents[changed]);  // it is told on return
  EXPECT_EQ(SimulatedFleet::runs(fleet_.agents[changed]), "B");
  run(one, 5);
  EXPECT_EQ(stored().state, State::kFailed);
  EXPECT_THAT(stored().reason, HasSubstr("began anew at"));
}

TEST_F(RolloutTest, GoneAgentIsAFailure) {
  for (auto& [id, agent] : fleet_.agents) agent.planted = Planted::kCrashes;
  ASSERT_TRUE(start(request()));
  Driver one = driver();
  settle(one);
  run(one, 10);
  EXPECT_EQ(stored().state, State::kFailed);
  EXPECT_THAT(stored().reason, HasSubstr("gone, last seen at"));
  EXPECT_EQ(running("A"), 38U);
}

TEST_F(RolloutTest, UndecidedWaitsAndThenAborts) {
  Request judged = request();
  judged.judges = {"ticks missed"};
  ASSERT_TRUE(start(judged));
  judge_.outcome = Outcome::kUndecided;
  Driver one = driver();
  settle(one);
  run(one, 150);
  EXPECT_EQ(stored().state, State::kRunning);
  EXPECT_EQ(stored().events.back().what, "undecided");
  run(one, 60);
  EXPECT_EQ(stored().state, State::kFailed);
  EXPECT_EQ(stored().reason, "step 1 of 3 (canary 5%) was undecided for 2m: ticks missed: told");
  EXPECT_EQ(running("A"), 40U);
}

TEST_F(RolloutTest, BadJudgementUndoesTheNewestFirst) {
  Request judged = request();
  judged.judges = {"ticks missed"};
  ASSERT_TRUE(start(judged));
  Driver one = driver();
  settle(one);
  run(one, 65);
  EXPECT_EQ(running("B"), 10U);
  judge_.outcome = Outcome::kBad;
  for (int i = 0; i < 12 && stored().state == State::kRunning; ++i) {
    clock_.advance(5 * kSecond);
    store_.calls_left = 1000;
    const auto passed = one.pass();
    ASSERT_TRUE(passed);
    for (size_t k = 1; k < passed->sight.to_remove.size(); ++k) {
      EXPECT_GT(passed->sight.to_remove[k - 1].expected->revision, passed->sight.to_remove[k].expected->revision);
    }
  }
  store_.calls_left.reset();
  settle(one);
  EXPECT_EQ(stored().state, State::kFailed);
  EXPECT_EQ(stored().reason, "ticks missed in step 2 of 3 (25%): told");
  EXPECT_EQ(running("A"), 40U);
}

TEST_F(RolloutTest, OnlyOneRolloutOfAnAgentRuns) {
  ASSERT_TRUE(start(request()));
  const auto second = start(request());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kAborted);
  EXPECT_THAT(second.error().message(), HasSubstr("rollout r1 of group web was begun by alice at"));
  EXPECT_THAT(second.error().message(), HasSubstr("(a test)"));
  fleet_.add("both", {"db", "web"});
  Request other = request();
  other.group = "db";
  const auto overlapping = start(other);
  ASSERT_FALSE(overlapping);
  EXPECT_THAT(overlapping.error().message(), HasSubstr("1 agent (such as both) of group db are also of group web"));
}

TEST_F(RolloutTest, PauseHoldsResumeContinuesAbortUndoes) {
  ASSERT_TRUE(start(request()));
  Driver one = driver();
  settle(one);
  Rollout rollout = stored();
  ASSERT_TRUE(pause(rollout, "bob", "lunch", clock_.wall_ns()));
  store_.put(rollout_key("web"), to_json(rollout));
  run(one, 300);
  EXPECT_EQ(running("B"), 2U);
  rollout = stored();
  ASSERT_TRUE(resume(rollout, "bob", clock_.wall_ns()));
  store_.put(rollout_key("web"), to_json(rollout));
  run(one, 5);
  EXPECT_EQ(running("B"), 10U);
  rollout = stored();
  ASSERT_TRUE(abort(rollout, "bob", "no", clock_.wall_ns()));
  EXPECT_FALSE(abort(rollout, "bob", "no", clock_.wall_ns()));
  store_.put(rollout_key("web"), to_json(rollout));
  settle(one);
  EXPECT_EQ(stored().state, State::kAborted);
  EXPECT_EQ(stored().reason, "aborted by bob: no");
  EXPECT_EQ(running("A"), 40U);
  EXPECT_TRUE(start(request())) << "what was aborted has not failed";
}

TEST_F(RolloutTest, AnotherProgramContinuesWhenTheFirstIsSilent) {
  ASSERT_TRUE(start(request()));
  Driver one = driver("first:1");
  Driver two = driver("second:2");
  settle(one);
  const auto looking = two.pass();
  ASSERT_TRUE(looking);
  EXPECT_FALSE(looking->drives);
  EXPECT_EQ(looking->sight.counts.applied, 2U);
  clock_.advance(Driver::kTurnNs + kSecond);
  const auto driving = two.pass();
  ASSERT_TRUE(driving);
  EXPECT_TRUE(driving->drives);
  EXPECT_EQ(stored().driver, "second:2");
  EXPECT_EQ(stored().events.back().text, "second:2 continues it; first:1 is silent");
  ASSERT_FALSE(one.pass()->drives);
}

TEST_F(RolloutTest, CanaryEndsByItselfIfNobodyContinues) {
  for (const bool leases : {true, false}) {
    store_.leases = leases;
    Request again = request();
    again.retry = true;
    ASSERT_TRUE(start(again));
    Driver one = driver();
    settle(one);
    EXPECT_EQ(running("B"), 2U);
    clock_.advance(again.lease_ns + 5 * kSecond);
    fleet_.turn();
    EXPECT_EQ(running("A"), 40U) << leases;
    Driver two = driver("later:2");
    settle(two);
    EXPECT_EQ(stored().state, State::kFailed);
    EXPECT_THAT(stored().reason, HasSubstr("nobody continued it until"));
    EXPECT_EQ(overrides(), 0U);
  }
}

TEST_F(RolloutTest, AChangeByHandEndsItAndStays) {
  ASSERT_TRUE(start(request()));
  Driver one = driver();
  settle(one);
  const std::string hand = R"({"interval": 9})";
  store_.put(group_key("web"), hand);
  settle(one);
  EXPECT_EQ(stored().state, State::kFailed);
  EXPECT_THAT(stored().reason, HasSubstr("was changed by someone else meanwhile (revision"));
  EXPECT_EQ(*store_.value(group_key("web")), hand);
  EXPECT_EQ(overrides(), 0U);
}

TEST_F(RolloutTest, AnAgentThatJoinsGetsWhatItsPeersHave) {
  ASSERT_TRUE(start(request()));
  Driver one = driver();
  settle(one);
  run(one, 65);
  run(one, 65);
  ASSERT_EQ(running("B"), 40U);
  fleet_.add("web-new", {"web"});
  settle(one);
  EXPECT_EQ(running("B"), 41U);
  EXPECT_EQ(stored().state, State::kRunning);
}

TEST_F(RolloutTest, OwnDocumentsKeepTheirEffect) {
  store_.put(agent_key("web-3"), R"({"interval": 30, "labels": {"rack": "r1"}})");
  store_.put(defaults_key(), R"({"send_every": 2})");
  fleet_.turn();
  Request all = request();
  all.steps = *steps_of({.percent = 100}, {});
  ASSERT_TRUE(start(all));
  Driver one = driver();
  settle(one);
  const nlohmann::json& merged = fleet_.agents["web-3"].merged;
  EXPECT_EQ(merged,
            nlohmann::json::parse(R"({"interval": 30, "send_every": 2, "labels": {"rack": "r1", "version": "B"}})"));
  run(one, 65);
  EXPECT_EQ(stored().state, State::kDone);
  EXPECT_EQ(fleet_.agents["web-3"].merged, merged);
}

TEST_F(RolloutTest, AnOverrideOfAllAgentsKeepsItsEffect) {
  const std::string key = shared_overrides() + "calm";
  store_.put(key, R"({"interval": 40})");
  fleet_.turn();
  Request all = request();
  all.steps = *steps_of({.percent = 100}, {});
  ASSERT_TRUE(start(all));
  Driver one = driver();
  settle(one);
  for (const auto& [id, agent] : fleet_.agents) {
    if (agent.groups.front() != "web") continue;
    EXPECT_EQ(agent.merged["interval"], 40) << id << " has the new document below the override";
    EXPECT_EQ(agent.merged["labels"]["version"], "B") << id;
  }
  run(one, 65);
  EXPECT_EQ(stored().state, State::kDone);
  EXPECT_EQ(fleet_.agents["web-3"].merged["interval"], 40);
}

TEST(Selection, IsStableSpreadAndGrows) {
  std::vector<Candidate> agents;
  for (int i = 0; i < 1000; ++i)
    agents.push_back({"agent-" + std::to_string(i), i < 900 ? "big" : "r" + std::to_string(i % 10)});
  const auto chosen = [&](const Thresholds& thresholds) {
    std::set<std::string> ids;
    for (const Candidate& one : agents) {
      if (is_chosen(thresholds, false, "s", one)) ids.insert(one.agent_id);
    }
    return ids;
  };
  const Thresholds canary = choose("s", agents, {.count = 11}, {});
  EXPECT_EQ(chosen(canary).size(), 11U);
  EXPECT_EQ(canary.size(), 11U);  // one of each rack
  const Thresholds quarter = choose("s", agents, {.percent = 25}, canary);
  const auto more = chosen(quarter);
  EXPECT_EQ(more.size(), 250U);
  for (const std::string& id : chosen(canary)) EXPECT_TRUE(more.contains(id));
  EXPECT_EQ(choose("s", agents, {.percent = 25}, {}), quarter);
  EXPECT_NE(choose("t", agents, {.percent = 25}, {}), quarter);
  EXPECT_EQ(place_of("web", "agent-001"), place_of("web", "agent-001"));
}

TEST(Amounts, AreParsedAndBounded) {
  EXPECT_EQ(parse_amount("5%")->percent, 5);
  EXPECT_EQ(parse_amount("20")->count, 20U);
  for (const char* const bad :
       {"", "%", "0", "0%", "101%", "-5%", "5 %%", "1e3%", "nan%", "x", "99999999999999999999"}) {
    EXPECT_FALSE(parse_amount(bad)) << bad;
  }
  EXPECT_EQ((Amount{.percent = 5}.of(10)), 1U);
  EXPECT_EQ((Amount{.percent = 25}.of(10)), 3U);
  EXPECT_EQ((Amount{.percent = 29}.of(100)), 29U);
  EXPECT_EQ((Amount{.count = 20}.of(7)), 7U);
  EXPECT_EQ(steps_of({.percent = 5}, {})->size(), 2U);
  EXPECT_FALSE(steps_of({.percent = 30}, {{.percent = 25}}));
  EXPECT_EQ(steps_of({.count = 5}, {{.percent = 25}, {.percent = 100}})->size(), 3U);
}

TEST(Patch, MakesOneDocumentOfAnother) {
  const auto from = nlohmann::json::parse(R"({"a": 1, "b": {"c": 1, "d": [1, 2]}, "e": {"f": 1}})");
  const auto to = nlohmann::json::parse(R"({"b": {"c": 2, "d": [1]}, "e": 5, "g": {"h": {}}})");
  nlohmann::json result = from;
  result.merge_patch(merge_patch_between(from, to));
  EXPECT_EQ(result, to);
  EXPECT_EQ(merge_patch_between(from, from), nlohmann::json::object());
  EXPECT_EQ(group_of_override(override_name("web")), "web");
  EXPECT_EQ(group_of_override("manual"), std::nullopt);
}

TEST(AbortRule, IsPromqlOverTheCounts) {
  const Counts counts{.members = 100, .changed = 10, .applied = 7, .pending = 1, .refused = 1, .gone = 1};
  EXPECT_TRUE(*holds("failed > 0", counts));
  EXPECT_TRUE(*holds("failed / changed > 0.1", counts));
  EXPECT_FALSE(*holds("failed / changed > 0.2", counts));
  EXPECT_TRUE(*holds("refused > 5 or gone >= 1", counts));
  EXPECT_FALSE(*holds("failed > bool 5", counts));
  EXPECT_FALSE(*holds("", counts));
  EXPECT_THAT(holds("faild > 0", counts).error().message(), HasSubstr("expected one of members, changed"));
  EXPECT_FALSE(check_abort_rule("failed >"));
  EXPECT_FALSE(check_abort_rule("failed[5m]"));
}

TEST(State, SurvivesJson) {
  Rollout rollout;
  rollout.id = "r1";
  rollout.group = "web";
  rollout.document = kB;
  rollout.content = digest_of(kB);
  rollout.steps = *steps_of({.percent = 5}, {{.count = 20}});
  rollout.thresholds = {{"r1", 17}, {"", UINT64_MAX}};
  rollout.judges = {"ticks missed"};
  rollout.verdicts = {{.judgement = "ticks missed", .outcome = Outcome::kBad, .why = "x", .now = 1.5}};
  rollout.started_ns = 1'700'000'000'123 * kNanosPerMilli;
  rollout.counts = {.members = 3, .changed = 2, .quarantined = 1};
  rollout.troubles = {{"web-1", "gone"}};
  rollout.past = {{.id = "r0", .state = State::kFailed, .content = "c", .reason = "why"}};
  note(rollout, rollout.started_ns, "started", "by alice");
  const auto parsed = parse_rollout(to_json(rollout));
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(*parsed, rollout);
  EXPECT_EQ(digest_of(R"({"b":1,"a":2})"), digest_of("{\"a\": 2,\n \"b\": 1}"));
}

TEST(State, NamesWhatIsWrong) {
  EXPECT_THAT(parse_rollout("{").error().message(), HasSubstr("is not JSON"));
  EXPECT_THAT(parse_rollout("[]").error().message(), HasSubstr("got [], expected an object"));
  EXPECT_THAT(parse_rollout(R"({"format": 2})").error().message(), HasSubstr("/format: got 2, expected 1"));
  EXPECT_THAT(parse_rollout(R"({"format": 1})").error().message(), HasSubstr("/id: got nothing, expected a text"));
  EXPECT_THAT(parse_rollout(R"({"format": 1, "id": 7})").error().message(), HasSubstr("/id: got 7"));
}

}  // namespace
}  // namespace monitor::config::rollout

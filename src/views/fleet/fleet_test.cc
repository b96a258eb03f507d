#include "views/fleet/fleet.h"

#include <gtest/gtest.h>

#include <cmath>

#include "metrics/resource.h"

namespace monitor::analysis {
namespace {

constexpr int64_t kSecond = kNanosPerSecond;
constexpr int64_t kNow = int64_t{1'700'000'000} * kSecond;

metrics::Batch batch(uint64_t sequence, int64_t time_ns, double cpu, bool heartbeat = false) {
  metrics::Batch made;
  made.agent_id = "a";
  made.hostname = "h";
  made.incarnation = std::string(16, 'i');
  made.sequence = sequence;
  made.first_unacked = sequence;
  made.appended_ns = time_ns;
  made.send_every_ns = kSecond;
  made.series = {{.name = "system.cpu.utilization", .labels = {}, .unit = "1"},
                 {.name = "system.cpu.utilization", .labels = {{"cpu.logical_number", "0"}}, .unit = "1"}};
  if (heartbeat) return made;
  metrics::Point host{.series = 0};
  host.real = cpu;
  metrics::Point core{.series = 1};
  core.real = 1;
  made.frames = {{.time_ns = time_ns, .rates_since_ns = 0, .points = {core, host}}};
  return made;
}

bool apply(Fleet& fleet, const metrics::Batch& one, int64_t log_ns) {
  return fleet.apply({.partition = 0, .offset = 1, .time_ns = log_ns}, one);
}

TEST(Fleet, KeepsTheNewestStateWhenOlderBatchesArrive) {
  Fleet fleet;
  EXPECT_TRUE(apply(fleet, batch(5, kNow, 0.5), kNow));
  EXPECT_FALSE(apply(fleet, batch(3, kNow - 60 * kSecond, 0.1), kNow + kSecond)) << "late";
  EXPECT_EQ(fleet.find("a")->figures()[0], 0.5);
  metrics::Batch older = batch(900, kNow - 600 * kSecond, 0.2);
  older.incarnation = std::string(16, 'o');
  EXPECT_FALSE(apply(fleet, older, kNow + kSecond)) << "the batch is of an older run";
  EXPECT_EQ(fleet.find("a")->figures()[0], 0.5);
  EXPECT_TRUE(apply(fleet, batch(6, kNow + kSecond, 0.7), kNow + kSecond));
  EXPECT_EQ(fleet.find("a")->figures()[0], 0.7);
}

TEST(Fleet, JudgesTheHealthOfAnAgent) {
  Fleet fleet;
  apply(fleet, batch(1, kNow, 0.5), kNow);
  const auto health = [&](int64_t after, Presence presence) {
    return judge(*fleet.find("a"), kNow + after * kSecond, presence).health;
  };
  EXPECT_EQ(health(5, Presence::kUnknown), Health::kAlive);
  EXPECT_EQ(health(20, Presence::kUnknown), Health::kLate);
  EXPECT_EQ(health(31, Presence::kUnknown), Health::kGone);
  EXPECT_EQ(health(31, Presence::kAlive), Health::kSpooling);
  EXPECT_EQ(health(31, Presence::kGone), Health::kGone);
}

TEST(Fleet, StoppedAgentIsNeitherLateNorGone) {
  Fleet fleet;
  metrics::Batch last = batch(1, kNow, 0.5);
  last.final_batch = true;
  apply(fleet, last, kNow);
  const Servers away{.state = Servers::State::kAway, .last_ns = kNow};
  const auto health = [&](int64_t after, Presence presence, const Servers& servers = {}) {
    return judge(*fleet.find("a"), kNow + after * kSecond, presence, servers).health;
  };
  EXPECT_EQ(health(1, Presence::kAlive), Health::kStopped) << "its status is deleted a moment later";
  EXPECT_EQ(health(3600, Presence::kUnknown), Health::kStopped);
  EXPECT_EQ(health(3600, Presence::kUnknown, away), Health::kStopped);
  EXPECT_EQ(health(3600, Presence::kAlive), Health::kSpooling) << "a later run is alive but does not reach the log";
  metrics::Batch next = batch(1, kNow + 60 * kSecond, 0.5);
  next.incarnation = std::string(16, 'n');
  apply(fleet, next, kNow + 60 * kSecond);
  EXPECT_EQ(health(61, Presence::kStopped), Health::kAlive) << "its data has just arrived, whatever its status says";
  EXPECT_EQ(health(3600, Presence::kStopped), Health::kStopped) << "an earlier version marks no batch as its last";
}

TEST(Fleet, AgentThatNeverReachedTheLogSpoolsUntilItIsDropped) {
  Fleet fleet;
  fleet.add_known("a", "h", "1.0.0", 0);
  fleet.forget(kNow, kNow);
  ASSERT_NE(fleet.find("a"), nullptr);
  const Verdict verdict = judge(*fleet.find("a"), kNow, Presence::kAlive);
  EXPECT_EQ(verdict.health, Health::kSpooling);
  EXPECT_EQ(verdict.why, "it is alive, but none of its data has ever reached the log");
  fleet.drop("a", 0);
  EXPECT_EQ(fleet.find("a"), nullptr);
}

TEST(Fleet, DropKeepsAnAgentThatWasSeenSince) {
  Fleet fleet;
  apply(fleet, batch(1, kNow, 0.5), kNow);
  fleet.drop("a", kNow - 1);
  EXPECT_NE(fleet.find("a"), nullptr);
  fleet.drop("a", kNow);
  EXPECT_EQ(fleet.find("a"), nullptr);
  EXPECT_EQ(fleet.series(), 0U);
}

TEST(Fleet, AgentsAreUnknownWhileNoServerWrites) {
  Fleet fleet;
  apply(fleet, batch(1, kNow, 0.5), kNow);
  const Servers away{.state = Servers::State::kAway, .last_ns = kNow + 2 * kSecond};
  const auto health = [&](int64_t after, Presence presence, const Servers& servers) {
    return judge(*fleet.find("a"), kNow + after * kSecond, presence, servers).health;
  };
  EXPECT_EQ(health(10, Presence::kUnknown, away), Health::kAlive) << "its data has just arrived";
  EXPECT_EQ(health(31, Presence::kUnknown, away), Health::kUnknown);
  EXPECT_EQ(health(3600, Presence::kAlive, away), Health::kUnknown);
  EXPECT_EQ(health(3600, Presence::kGone, away), Health::kGone) << "its expired lease shows more than the log can";
  EXPECT_EQ(health(3600, Presence::kUnknown, {.state = Servers::State::kWriting, .last_ns = kNow + 3600 * kSecond}),
            Health::kGone);
  // The agent was gone before the server was.
  EXPECT_EQ(health(3600, Presence::kUnknown, {.state = Servers::State::kAway, .last_ns = kNow + 60 * kSecond}),
            Health::kGone);
}

TEST(Fleet, ReportsWhyAnAgentIsSilent) {
  Fleet fleet;
  apply(fleet, batch(1, kNow, 0.5), kNow);
  apply(fleet, batch(2, kNow + 30 * kSecond, 0, true), kNow + 30 * kSecond);
  EXPECT_EQ(judge(*fleet.find("a"), kNow + 31 * kSecond, Presence::kAlive).why, "it is configured to collect nothing");
  metrics::Batch dropped = batch(3, kNow + 40 * kSecond, 0, true);
  dropped.counters.dropped = {{"plugin", "filtered", 0, 4, 8}};
  apply(fleet, dropped, kNow + 40 * kSecond);
  const Verdict verdict = judge(*fleet.find("a"), kNow + 41 * kSecond, Presence::kAlive);
  EXPECT_EQ(verdict.health, Health::kSilent);
  EXPECT_EQ(verdict.why, "its plugins drop everything that it collects");
}

TEST(Fleet, DetectsWaitingAndLateBatches) {
  Fleet fleet;
  metrics::Batch waiting = batch(100, kNow, 0.5);
  waiting.first_unacked = 10;
  apply(fleet, waiting, kNow);
  EXPECT_EQ(judge(*fleet.find("a"), kNow, Presence::kUnknown).health, Health::kSpooling);
  apply(fleet, batch(101, kNow + kSecond, 0.5), kNow + 20 * kSecond);
  EXPECT_EQ(judge(*fleet.find("a"), kNow + 20 * kSecond, Presence::kUnknown).health, Health::kLate);
}

TEST(Fleet, BoundsAgentsAndSeries) {
  Fleet fleet({.agents = 2, .series = 3, .series_per_agent = 2, .fair_series = 1});
  for (int i = 0; i < 4; ++i) {
    metrics::Batch one = batch(1, kNow, 0.5);
    one.agent_id = "agent-" + std::to_string(i);
    apply(fleet, one, kNow);
  }
  EXPECT_EQ(fleet.agents().size(), 2U);
  EXPECT_EQ(fleet.series(), 3U);
  EXPECT_EQ(fleet.dropped_points(), 5U);
  fleet.forget(kNow, kNow + 1);
  EXPECT_TRUE(fleet.agents().empty());
  EXPECT_EQ(fleet.series(), 0U);
}

TEST(Fleet, ReportsAWrongClock) {
  Fleet fleet;
  apply(fleet, batch(1, kNow + int64_t{3650} * 86'400 * kSecond, 0.5), kNow);
  EXPECT_EQ(fleet.find("a")->tick_ns, kNow);
  EXPECT_EQ(fleet.find("a")->clock_error_ns, int64_t{3650} * 86'400 * kSecond);
  EXPECT_EQ(judge(*fleet.find("a"), kNow + kSecond, Presence::kUnknown).health, Health::kAlive);
}

TEST(Fleet, ClockThatIsSetBackDoesNotStopUpdates) {
  Fleet fleet;
  apply(fleet, batch(1, kNow + 240 * kSecond, 0.5), kNow);
  apply(fleet, batch(2, kNow + kSecond, 0.7), kNow + kSecond);
  EXPECT_EQ(fleet.find("a")->figures()[0], 0.7);
  EXPECT_EQ(fleet.find("a")->tick_ns, kNow + kSecond);
  apply(fleet, batch(3, kNow + 2 * kSecond, 0.9), kNow + 2 * kSecond);
  EXPECT_EQ(fleet.find("a")->interval_ns, kSecond);
  EXPECT_FALSE(apply(fleet, batch(2, kNow + kSecond, 0.1), kNow + 3 * kSecond)) << "an earlier batch must stay earlier";
  EXPECT_EQ(fleet.find("a")->past.steps(0).size(), Past::kSteps);
}

std::string run_id(char c) { return std::string(16, c); }

TEST(Fleet, RunThatNamesThePreviousOneIsNewerWhateverItsClock) {
  Fleet fleet;
  apply(fleet, batch(700, kNow + 240 * kSecond, 0.5), kNow);
  metrics::Batch next = batch(1, kNow + kSecond, 0.7);
  next.incarnation = run_id('n');
  next.ended = {{.incarnation = run_id('i'), .last_sequence = 702}};
  EXPECT_TRUE(apply(fleet, next, kNow + kSecond)) << "its clock was ahead, and is now right";
  EXPECT_EQ(fleet.find("a")->figures()[0], 0.7);
  EXPECT_EQ(fleet.find("a")->tick_ns, kNow + kSecond);
  EXPECT_FALSE(apply(fleet, batch(701, kNow + 241 * kSecond, 0.1), kNow + 2 * kSecond)) << "a batch from the spool";
  EXPECT_EQ(fleet.find("a")->figures()[0], 0.7);
  metrics::Batch third = batch(1, kNow - 100 * kSecond, 0.9);
  third.incarnation = run_id('t');
  third.older = {{.incarnation = run_id('n'), .first_unacked = 2}};
  EXPECT_TRUE(apply(fleet, third, kNow + 3 * kSecond));
  EXPECT_EQ(fleet.find("a")->figures()[0], 0.9);
}

TEST(Fleet, SilentRunIsReplacedByAnother) {
  Fleet fleet;
  apply(fleet, batch(1, kNow + 240 * kSecond, 0.5), kNow);
  metrics::Batch next = batch(1, kNow + 14 * kSecond, 0.7);
  next.incarnation = run_id('n');
  EXPECT_FALSE(apply(fleet, next, kNow + 14 * kSecond)) << "the batch may come from a spool";
  next.sequence = 2;
  EXPECT_TRUE(apply(fleet, next, kNow + 16 * kSecond));
  EXPECT_EQ(fleet.find("a")->figures()[0], 0.7);
}

TEST(Fleet, AgentsThatAreGoneMakeWayForNewOnes) {
  Fleet fleet({.agents = 3});
  const auto heard = [&](const std::string& name, int64_t seconds) {
    metrics::Batch one = batch(1, kNow + seconds * kSecond, 0.5);
    one.agent_id = name;
    return apply(fleet, one, kNow + seconds * kSecond);
  };
  for (const char* const name : {"a", "b", "c"}) EXPECT_TRUE(heard(name, 0));
  EXPECT_FALSE(heard("d", 599)) << "all of them may return";
  EXPECT_FALSE(heard("d", 600));
  EXPECT_TRUE(heard("d", 602));
  EXPECT_EQ(fleet.find("a"), nullptr);
  EXPECT_EQ(fleet.agents().size(), 3U);
  EXPECT_EQ(fleet.series(), 6U);
  EXPECT_EQ(fleet.dropped_points(), 4U);
}

TEST(Fleet, KeepsAShortPast) {
  Fleet fleet;
  for (int i = 0; i < 400; ++i)
    apply(fleet, batch(static_cast<uint64_t>(i) + 1, kNow + i * kSecond, i), kNow + i * kSecond);
  const Past& past = fleet.find("a")->past;
  EXPECT_EQ(past.steps(0).size(), Past::kSteps);
  EXPECT_FLOAT_EQ(past.steps(0).back(), 397);
}

TEST(Fleet, LiveFiguresContinueRememberedOnes) {
  Fleet fleet;
  fleet.remember("a", kNow, {0.25}, 0);
  EXPECT_EQ(fleet.find("a"), nullptr) << "the agent is unknown";
  fleet.add_known("a", "h", "1", kNow);
  fleet.remember("a", kNow - 10 * kSecond, {0.25}, 0);
  fleet.remember("a", kNow - 20 * kSecond, {0.75}, 0);  // out of order, so it must be ignored
  apply(fleet, batch(1, kNow, 0.5), kNow);
  const auto& steps = fleet.find("a")->past.steps(0);
  ASSERT_EQ(steps.size(), Past::kSteps);
  EXPECT_FLOAT_EQ(steps.back(), 0.5F);
  EXPECT_FLOAT_EQ(steps[steps.size() - 2], 0.375F) << "a value on the line between the two";
  EXPECT_FLOAT_EQ(steps[steps.size() - 3], 0.25F);
}

TEST(Fleet, NewLabelsReplaceValuesWithOldLabels) {
  Fleet fleet;
  const auto labelled = [](uint64_t sequence, double cpu, const char* rack) {
    metrics::Batch one = batch(sequence, kNow + static_cast<int64_t>(sequence) * kSecond, cpu);
    one.resource = {{"rack", rack}};
    metrics::carry_resource(one);
    return one;
  };
  apply(fleet, labelled(1, 0.5, "r12"), kNow);
  apply(fleet, labelled(2, 0.25, "r13"), kNow + kSecond);
  const LiveAgent& agent = *fleet.find("a");
  EXPECT_EQ(agent.labels, (metrics::Labels{{"rack", "r13"}}));
  EXPECT_EQ(agent.values.size(), 2U);
  EXPECT_EQ(fleet.series(), 2U);
  for (const LiveValue& value : agent.values) EXPECT_EQ(metrics::label_value(value.series.labels, "rack"), "r13");
  EXPECT_EQ(agent.figures()[0], 0.25);
  metrics::Batch heartbeat = batch(3, kNow + 3 * kSecond, 0, true);
  apply(fleet, heartbeat, kNow + 3 * kSecond);
  EXPECT_EQ(agent.labels.size(), 1U) << "a batch without ticks must not change the labels";
}

}  // namespace
}  // namespace monitor::analysis

// A rollout to 10,000 simulated agents, of which 1 % have a fault with the new document: they refuse it, crash, eat CPU
// or fall silent. The canary, a tenth of the agents, must show it, and all must have back what they had within one
// judgement.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "base/random.h"
#include "base/text.h"
#include "config/keys.h"
#include "config/rollout/begin.h"
#include "config/rollout/driver.h"
#include "config/rollout/testing/fleet_judge.h"
#include "config/rollout/testing/simulated_fleet.h"

namespace monitor::config::rollout {
namespace {

constexpr int64_t kSecond = kNanosPerSecond;
constexpr size_t kAgents = 10'000;
constexpr size_t kFaulty = kAgents / 100;
constexpr size_t kCanary = kAgents / 10;

Request request_of(uint64_t seed) {
  Request request;
  request.group = "web";
  request.document = kB;
  request.author = "simulation";
  request.steps = *steps_of({.percent = 10}, {{.percent = 50}});
  request.salt = std::to_string(seed);
  request.wait_ns = 60 * kSecond;
  request.patience_ns = 60 * kSecond;
  request.apply_ns = 30 * kSecond;
  request.lease_ns = 300 * kSecond;
  request.abort_on = "failed > 0";
  request.judges = {"judged"};
  return request;
}

void run(uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  constexpr std::array kKinds = {Planted::kRefuses, Planted::kCrashes, Planted::kEatsCpu, Planted::kFallsSilent};
  const Planted kind = kKinds.at(seed % kKinds.size());
  SeededRandom random(seed);
  FakeClock clock;
  MemoryBatchStore store(clock);
  store.in_one = 100;
  store.put(group_key("web"), kA);
  SimulatedFleet fleet(store, clock);
  FleetJudge judge(fleet);
  std::set<std::string> faulty;
  while (faulty.size() < kFaulty) faulty.insert("a" + std::to_string(random.below(kAgents)));
  for (size_t i = 0; i < kAgents; ++i) {
    const std::string id = "a" + std::to_string(i);
    fleet.add(id, {"web"}, faulty.contains(id) ? kind : Planted::kNothing);
  }
  const Request request = request_of(seed);
  ASSERT_TRUE(begin(store, request, "r", {.wall_ns = clock.wall_ns(), .fresh_ns = {}, .life_ns = 0}));
  Driver driver(store, clock, "web", {.name = "d", .fresh_ns = {}, .judge = &judge});
  const auto turn_written = [&](const std::vector<BatchWrite>& writes) {
    constexpr size_t kIdSegment = 4;
    for (const BatchWrite& one : writes) fleet.turn(fleet.agents[std::string(split(one.key, '/')[kIdSegment])]);
  };
  size_t changed = 0;
  const int64_t began = clock.wall_ns();
  for (int i = 0; i < 100; ++i) {
    const auto passed = driver.pass();
    ASSERT_TRUE(passed) << passed.error().message();
    changed = std::max(changed, passed->sight.counts.changed);
    if (is_over(passed->rollout->state)) break;
    turn_written(passed->sight.to_write);
    turn_written(passed->sight.to_remove);
    if (!passed->busy) clock.advance(5 * kSecond);
  }
  const auto last = parse_rollout(*store.value(rollout_key("web")));
  ASSERT_TRUE(last);
  EXPECT_EQ(last->state, State::kFailed) << last->reason;
  EXPECT_EQ(last->step, 0U) << "it was found after the canary";
  EXPECT_EQ(changed, kCanary);
  EXPECT_LE(clock.wall_ns() - began, request.wait_ns + 30 * kSecond);
  for (const auto& [id, agent] : fleet.agents) {
    EXPECT_TRUE(!agent.running || SimulatedFleet::runs(agent) == "A") << id;
  }
}

TEST(RolloutFaults, AreFoundInTheCanaryOfAFewSeeds) {
  for (uint64_t seed = 1; seed <= 4 && !HasFailure(); ++seed) run(seed);
}

TEST(RolloutFaults, AreFoundInTheCanaryOfAllSeeds) {
  for (uint64_t seed = 5; seed <= 200 && !HasFailure(); ++seed) run(seed);
}

}  // namespace
}  // namespace monitor::config::rollout

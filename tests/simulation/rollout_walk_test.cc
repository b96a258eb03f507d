// The state machine under random walks: programs that are killed between any two of their calls, agents that fail,
// join, leave and stop, operators, edits by hand and time, in any order. After each walk the faults end, and one
// program goes on: the rollout must end, and no agent may be left with what is neither the old nor the new document.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/random.h"
#include "config/keys.h"
#include "config/rollout/begin.h"
#include "config/rollout/driver.h"
#include "config/rollout/patch.h"
#include "config/rollout/testing/fleet_judge.h"
#include "config/rollout/testing/simulated_fleet.h"

namespace monitor::config::rollout {
namespace {

constexpr int64_t kSecond = kNanosPerSecond;

Request request_of(Random& random) {
  Request request;
  request.group = "web";
  request.document = kB;
  request.author = "walk";
  request.steps = *steps_of({.percent = 10}, {{.percent = 50}});
  request.wait_ns = static_cast<int64_t>(random.below(2)) * 60 * kSecond;
  request.patience_ns = 60 * kSecond;
  request.apply_ns = 30 * kSecond;
  request.lease_ns = 300 * kSecond;
  request.abort_on = "failed > 0";
  request.judges = {"judged"};
  request.retry = true;
  return request;
}

class Walk {
 public:
  explicit Walk(uint64_t seed) : random_(seed) {
    store_.leases = random_.below(3) != 0;
    if (random_.below(5) != 0) store_.put(group_key("web"), kA);
    before_ = store_.value(group_key("web"));
    for (int i = 0; i < 20; ++i) join();
  }

  void go(int steps) {
    begin_one();
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      one_thing();
      check("on the way");
    }
  }

  // One program goes on, and agents are well.
  void end() {
    store_.calls_left.reset();
    judge_.late = false;
    if (auto rollout = state(); rollout && rollout->state == State::kPaused) {
      ASSERT_TRUE(resume(*rollout, "end", clock_.wall_ns()));
      store_.put(rollout_key("web"), to_json(*rollout));
    }
    Driver last = driver("last");
    for (int i = 0; i < 400 && state() && !is_over(state()->state); ++i) {
      const auto passed = last.pass();
      ASSERT_TRUE(passed) << passed.error().message();
      fleet_.turn();
      if (!passed->busy) clock_.advance(5 * kSecond);
    }
    for (auto& [id, agent] : fleet_.agents) {
      if (!agent.running) fleet_.start(agent);
    }
    fleet_.turn();
    const auto rollout = state();
    ASSERT_TRUE(rollout);
    ASSERT_TRUE(is_over(rollout->state)) << describe_state(*rollout);
    check("at the end");
    EXPECT_EQ(overrides(), 0U);
    const auto document = store_.value(group_key("web"));
    if (rollout->state == State::kDone) {
      EXPECT_EQ(document, edited_.value_or(kB));
    } else {
      EXPECT_EQ(document, edited_ ? edited_ : before_) << rollout->reason;
    }
    for (const auto& [id, agent] : fleet_.agents) {
      if (agent.error.empty() && agent.running && document) {
        EXPECT_EQ(SimulatedFleet::runs(agent), version(*document)) << id;
      }
    }
    ended_[rollout->state]++;
  }

  static std::map<State, int> ended_;

 private:
  static std::string version(const std::string& document) {
    return nlohmann::json::parse(document).value("/labels/version"_json_pointer, std::string());
  }
  std::optional<Rollout> state() {
    const auto text = store_.value(rollout_key("web"));
    if (!text) return std::nullopt;
    auto parsed = parse_rollout(*text);
    EXPECT_TRUE(parsed) << parsed.error().message();
    return std::move(*parsed);
  }
  size_t overrides() {
    size_t count = 0;
    for (const auto& [key, stored] : store_.all()) count += kind_of_key(key) == KeyKind::kOverride ? 1 : 0;
    return count;
  }
  Driver driver(const std::string& name) {
    return {store_,
            clock_,
            "web",
            {.name = name,
             .fresh_ns = store_.leases ? std::nullopt : std::optional(int64_t{600} * kSecond),
             .judge = &judge_}};
  }
  void join() {
    const std::string id = "a" + std::to_string(fleet_.agents.size());
    const std::array kinds = {Planted::kRefuses, Planted::kCrashes, Planted::kEatsCpu, Planted::kFallsSilent};
    const bool bad = planting_ && random_.below(30) == 0;
    fleet_.add(id, {"web"}, bad ? kinds.at(random_.below(kinds.size())) : Planted::kNothing);
  }
  void begin_one() {
    store_.calls_left.reset();
    const auto begun = begin(store_, request_of(random_), "r" + std::to_string(++begun_),
                             {.wall_ns = clock_.wall_ns(), .fresh_ns = {}, .life_ns = 0});
    if (begun && begun_ > 1) {
      before_ = store_.value(group_key("web"));
      edited_.reset();
    }
  }
  // A program that may be killed after any number of calls.
  void drive() {
    const std::string name = "p" + std::to_string(random_.below(3));
    auto& program = programs_[name];
    if (!program || random_.below(4) == 0) program = std::make_unique<Driver>(driver(name));
    const bool killed = random_.below(3) == 0;
    store_.calls_left = killed ? std::optional<int64_t>(static_cast<int64_t>(random_.below(18))) : std::nullopt;
    store_.lose_answers = random_.below(2) == 0;
    const auto passed = program->pass();
    if (!passed) {
      EXPECT_EQ(passed.error().code(), Code::kCancelled) << passed.error().message();
      program.reset();
    }
    store_.calls_left.reset();
  }
  void operate() {
    auto rollout = state();
    if (!rollout) return;
    const uint64_t what = random_.below(8);
    const Status done = what < 3   ? pause(*rollout, "o", "", clock_.wall_ns())
                        : what < 7 ? resume(*rollout, "o", clock_.wall_ns())
                                   : abort(*rollout, "o", "", clock_.wall_ns());
    if (done) store_.put(rollout_key("web"), to_json(*rollout));
  }
  SimulatedAgent& any() {
    auto at = fleet_.agents.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(fleet_.agents.size())));
    return at->second;
  }
  void one_thing() {
    const uint64_t what = random_.below(100);
    if (what < 55) {
      drive();
    } else if (what < 80) {
      fleet_.turn();
    } else if (what < 90) {
      clock_.advance(static_cast<int64_t>(random_.below(30)) * kSecond);
    } else if (what < 92) {
      operate();
    } else if (what < 94) {
      join();
    } else if (what < 95) {
      SimulatedAgent& agent = any();
      if (agent.running) {
        fleet_.stop(agent, true);
      } else {
        fleet_.start(agent);
      }
    } else if (what < 96) {
      judge_.late = !judge_.late;
    } else if (what < 97 && random_.below(10) == 0) {
      clock_.advance(400 * kSecond);  // longer than the lease
    } else if (what < 98 && random_.below(10) == 0) {
      edited_ = R"({"interval": 7, "labels": {"version": "hand"}})";
      store_.put(group_key("web"), *edited_);
    } else if (what == 99) {
      begin_one();
    }
  }
  void check(const char* when) {
    const auto rollout = state();
    ASSERT_TRUE(rollout);
    // Whatever is half-way has a state that says so.
    if (overrides() > 0) {
      EXPECT_FALSE(is_over(rollout->state)) << when << ": " << describe_state(*rollout);
    }
    const std::set<std::string> known = {"", "A", "B", "hand"};
    for (const auto& [id, agent] : fleet_.agents) {
      const nlohmann::json& merged = agent.merged;
      const std::string runs = SimulatedFleet::runs(agent);
      ASSERT_TRUE(known.contains(runs)) << id << " " << when;
      // Never a mixture of two documents.
      if (runs == "B") {
        EXPECT_EQ(merged, nlohmann::json::parse(kB)) << id << " " << when;
      }
      if (runs == "A") {
        EXPECT_EQ(merged, nlohmann::json::parse(kA)) << id << " " << when;
      }
    }
  }

  SeededRandom random_;
  FakeClock clock_;
  MemoryBatchStore store_{clock_};
  SimulatedFleet fleet_{store_, clock_};
  FleetJudge judge_{fleet_};
  bool planting_ = true;
  std::map<std::string, std::unique_ptr<Driver>> programs_;
  std::optional<std::string> before_;
  std::optional<std::string> edited_;
  int begun_ = 0;
};

std::map<State, int> Walk::ended_;

TEST(RolloutWalk, EndsWhateverHappens) {
  constexpr uint64_t kWalks = 120;
  for (uint64_t seed = 1; seed <= kWalks; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Walk walk(seed);
    walk.go(150);
    if (HasFailure()) return;
    walk.end();
    if (HasFailure()) return;
  }
  // The walks reach every end; otherwise they show little.
  for (const State end : {State::kDone, State::kFailed, State::kAborted})
    EXPECT_GE(Walk::ended_[end], 3) << to_string(end);
}

// Kills the program after each number of calls in turn, and lets another one go on.
TEST(RolloutWalk, KilledAtEveryCall) {
  std::set<State> seen;
  size_t killed = 0;
  std::array<bool, 2> ended_before_it = {false, false};
  for (int64_t schedule = 0; schedule < 800 && !(ended_before_it[0] && ended_before_it[1]); ++schedule) {
    const int64_t calls = schedule / 2;
    const bool bad = schedule % 2 == 1;
    SCOPED_TRACE("killed after " + std::to_string(calls) + " calls");
    FakeClock clock;
    MemoryBatchStore store(clock);
    store.in_one = 1;
    store.put(group_key("web"), kA);
    SimulatedFleet fleet(store, clock);
    FleetJudge judge(fleet);
    for (int i = 0; i < 30; ++i) {
      fleet.add("a" + std::to_string(i), {"web"}, bad && i % 3 == 0 ? Planted::kEatsCpu : Planted::kNothing);
    }
    SeededRandom random(1);
    Request request = request_of(random);
    request.wait_ns = 0;
    ASSERT_TRUE(begin(store, request, "r", {.wall_ns = clock.wall_ns(), .fresh_ns = {}, .life_ns = 0}));
    store.calls_left = calls;
    store.lose_answers = calls % 4 < 2;
    const auto drive = [&](const char* name) {
      Driver driver(store, clock, "web", {.name = name, .fresh_ns = {}, .judge = &judge});
      for (int i = 0; i < 200; ++i) {
        const auto passed = driver.pass();
        if (!passed) return false;
        if (is_over(passed->rollout->state)) return true;
        fleet.turn();
        if (!passed->busy) clock.advance(3 * kSecond);
      }
      ADD_FAILURE() << "it does not end";
      return true;
    };
    const bool ended = drive("first");
    store.calls_left.reset();
    if (!ended) {
      ++killed;
      const auto half = parse_rollout(*store.value(rollout_key("web")));
      ASSERT_TRUE(half);
      seen.insert(half->state);
      clock.advance(Driver::kTurnNs + kSecond);
      ASSERT_TRUE(drive("second"));
    }
    fleet.turn();
    const auto last = parse_rollout(*store.value(rollout_key("web")));
    EXPECT_EQ(last->state, bad ? State::kFailed : State::kDone) << last->reason;
    EXPECT_EQ(*store.value(group_key("web")), bad ? kA : kB);
    for (const auto& [id, agent] : fleet.agents) EXPECT_EQ(SimulatedFleet::runs(agent), bad ? "A" : "B") << id;
    if (HasFailure()) return;
    ended_before_it[bad ? 1 : 0] = ended;
  }
  EXPECT_GE(killed, 200U);
  EXPECT_TRUE(seen.contains(State::kRunning) && seen.contains(State::kFinishing) && seen.contains(State::kUndoing));
}

}  // namespace
}  // namespace monitor::config::rollout

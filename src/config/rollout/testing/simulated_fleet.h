// SimulatedFleet: agents that follow their documents in a MemoryBatchStore and report their status, without an engine,
// a loop or measurements. Faults are planted by agent: what it does once it runs a document with the field "marker":
// true of the candidate.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time_format.h"
#include "config/fleet.h"
#include "config/rollout/testing/memory_batch_store.h"
#include "config/source.h"

namespace monitor::config::rollout {

enum class Planted { kNothing, kRefuses, kCrashes, kEatsCpu, kFallsSilent };

struct SimulatedAgent {
  std::string id;
  std::vector<std::string> groups;
  Planted planted = Planted::kNothing;
  bool running = true;
  bool silent = false;  // it lives, and sends no data
  int64_t since_ns = 0;
  nlohmann::json merged = nlohmann::json::object();  // what it runs
  std::string mark;
  int64_t revision = 0;
  int64_t read = 0;
  std::string error = {};
  std::string refused = {};
  double cpu = 0.01;
  uint64_t applied = 0;  // how often it has changed what it runs
};

class SimulatedFleet {
 public:
  SimulatedFleet(MemoryBatchStore& store, FakeClock& clock) : store_(store), clock_(clock) {}

  SimulatedAgent& add(const std::string& id, std::vector<std::string> groups, Planted planted = Planted::kNothing) {
    SimulatedAgent& agent = agents[id];
    agent = {.id = id, .groups = std::move(groups), .planted = planted, .since_ns = clock_.wall_ns()};
    turn(agent);
    return agent;
  }
  void turn() {
    for (auto& [id, agent] : agents) turn(agent);
  }
  void turn(SimulatedAgent& agent) {
    if (!agent.running) return;
    const AgentIdentity who{agent.id, agent.groups};
    const KeySet set = store_.read(watch_set(who, agent.groups));
    agent.read = set.revision;
    const auto made = make_layers(who, set, clock_.wall_ns(), [](const std::string& key) { return key; });
    const nlohmann::json merged = merge_layers(made.set.layers);
    const bool bad =
        merged.contains("labels") && merged["labels"].contains("version") && merged["labels"]["version"] == "B";
    agent.error.clear();
    if (!made.problems.empty() || (bad && agent.planted == Planted::kRefuses)) {
      agent.error = "/labels: planted";
      agent.refused = contents_mark_of(set);
    } else {
      if (merged != agent.merged) ++agent.applied;
      agent.merged = merged;
      agent.mark = mark_of(set);
      agent.revision = newest_revision(set);
      agent.cpu = bad && agent.planted == Planted::kEatsCpu ? 0.9 : 0.01;
      agent.silent = bad && agent.planted == Planted::kFallsSilent;
      if (bad && agent.planted == Planted::kCrashes) {
        stop(agent, false);
        return;
      }
    }
    report(agent, made.set.overrides);
  }
  // `clean`: in order.
  void stop(SimulatedAgent& agent, bool clean) {
    agent.running = false;
    store_.remove(status_key(agent.id));
    AgentInventory inventory{
        .host = agent.id, .groups = agent.groups, .version = "0.2.0", .last_seen_ns = clock_.wall_ns()};
    if (clean) inventory.stopped_ns = clock_.wall_ns();
    store_.put(inventory_key(agent.id), to_json(inventory));
  }
  void start(SimulatedAgent& agent) {
    agent.running = true;
    agent.since_ns = clock_.wall_ns();
    turn(agent);
  }
  // What it runs, without overrides by hand: "A", "B" or another label.
  static std::string runs(const SimulatedAgent& agent) {
    const auto labels = agent.merged.find("labels");
    return labels == agent.merged.end() ? "" : labels->value("version", std::string());
  }

  std::map<std::string, SimulatedAgent> agents;

 private:
  void report(const SimulatedAgent& agent, const std::vector<std::string>& overrides) {
    AgentStatus status;
    status.version = "0.2.0";
    status.host = agent.id;
    status.since_ns = agent.since_ns;
    status.updated_ns = clock_.wall_ns();
    status.desired = status.applied = agent.read;
    status.revision = agent.revision;
    status.mark = agent.mark;
    status.error = agent.error;
    status.refused = agent.refused;
    status.refused_groups = agent.groups;
    status.groups = agent.groups;
    status.overrides = overrides;
    store_.put(status_key(agent.id), to_json(status));
    if (!store_.value(inventory_key(agent.id))) {
      store_.put(inventory_key(agent.id),
                 to_json(AgentInventory{
                     .host = agent.id, .groups = agent.groups, .version = "0.2.0", .last_seen_ns = clock_.wall_ns()}));
    }
  }

  MemoryBatchStore& store_;
  FakeClock& clock_;
};

inline constexpr const char* kA = R"({"interval": 5, "labels": {"version": "A", "site": "x"}})";
inline constexpr const char* kB = R"({"interval": 1, "labels": {"version": "B"}})";

}  // namespace monitor::config::rollout

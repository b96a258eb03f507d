// The fleet, from what stands under /monitor/: who has applied what, who has not and why, who stopped or is gone. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/layers.h"
#include "config/status.h"
#include "config/store.h"

namespace monitor::config {

enum class AgentState {
  kApplied,  // what is stored is in force
  kPending,  // it lives, and has not applied it yet
  kFailed,   // it lives, and cannot apply it
  kStopped,  // it ended in order, with nothing unsent
  kGone,     // it was there, and has no status
};
inline bool lives(AgentState state) { return state != AgentState::kStopped && state != AgentState::kGone; }
std::string_view to_string(AgentState state);

struct FleetRow {
  std::string agent_id;
  AgentState state = AgentState::kGone;
  // Of the newest document in force, and of the newest that is stored for it. They are equal exactly when the agent
  // runs what is stored. Documents in files have none: they are what the agent counts, and would count next.
  int64_t applied = 0;
  int64_t wanted = 0;
  int64_t seen_ns = 0;               // its last word, Unix time
  AgentStatus status;                // of a gone one: host, version and groups alone
  std::vector<std::string> plugins;  // of its plugin folder, by name

  int64_t behind() const { return wanted > applied ? wanted - applied : 0; }
};

// What is wrong with an agent that lives, for people: a refused configuration, quarantined plugins, another run under
// its id, mounts that hang, a full table of series. Each is cut to kMostProblemBytes, and there are at most
// kMostProblems.
inline constexpr size_t kMostProblems = 8;
inline constexpr size_t kMostProblemBytes = 300;
std::vector<std::string> problems_of(const FleetRow& row);

// Everything below /monitor/.
using StoredKeys = std::map<std::string, Stored>;

// By agent id. Files have no lease: with `fresh_ns`, a status that is older is none.
std::vector<FleetRow> fleet_of(const StoredKeys& keys, int64_t wall_ns, std::optional<int64_t> fresh_ns);
std::optional<FleetRow> row_of(const StoredKeys& keys, const std::string& agent_id, int64_t wall_ns,
                               std::optional<int64_t> fresh_ns);

// When an agent that has no status was forgotten (AgentInventory::forgotten_ns), by agent id. No row is made of these.
std::map<std::string, int64_t, std::less<>> forgotten_of(const StoredKeys& keys, int64_t wall_ns,
                                                         std::optional<int64_t> fresh_ns);

// The layers of an agent as they are stored; its groups are those that it reported.
LayersOrProblem layers_of(const StoredKeys& keys, const std::string& agent_id, int64_t wall_ns,
                          const Describe& describe);

// A field of a document, and the version that brought it; the newest first.
struct NeededVersion {
  std::string field;  // "log_level", "metrics: interval of cpu"
  std::string since;
};
std::vector<NeededVersion> needed_versions(const nlohmann::json& document);
// "0.10.0" is newer than "0.9.1". What is no version is older than all.
bool is_older(std::string_view version, std::string_view than);

// A value of the merged document, and where it comes from.
struct Explained {
  std::string path;   // JSON pointer
  std::string value;  // JSON
  std::string key;    // of the layer, as described; empty: a built-in default
  int64_t revision = 0;
};
std::vector<Explained> explain(const std::vector<Layer>& layers);

}  // namespace monitor::config

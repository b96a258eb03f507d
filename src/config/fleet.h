// The state of the fleet, computed from all keys of the configuration: which agents have applied their documents, which
// have not and why, and which have stopped or are gone. Pure functions.
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
  kApplied,  // the stored documents are applied
  kPending,  // alive, but has not applied them yet
  kFailed,   // alive, but cannot apply them
  kStopped,  // stopped in order, with nothing unsent
  kGone,     // in the inventory, but without a status
};
inline bool lives(AgentState state) { return state != AgentState::kStopped && state != AgentState::kGone; }
std::string_view to_string(AgentState state);

struct FleetRow {
  std::string agent_id;
  AgentState state = AgentState::kGone;
  // Revisions of the newest applied document and of the newest stored one. They are equal exactly if the agent runs the
  // stored documents. Documents in files have no revision; then these are the agent's own counter and its next value.
  int64_t applied = 0;
  int64_t wanted = 0;
  int64_t seen_ns = 0;               // last contact, Unix time
  AgentStatus status;                // if the agent is gone: host, version and groups only
  std::vector<std::string> plugins;  // in its plugin folder, by name

  int64_t behind() const { return wanted > applied ? wanted - applied : 0; }
};

// Problems of a live agent as text: a rejected configuration, quarantined plugins, a second run under its id, mounts
// that hang, a full series table. At most kMostProblems texts, each truncated to kMostProblemBytes.
inline constexpr size_t kMostProblems = 8;
inline constexpr size_t kMostProblemBytes = 300;
std::vector<std::string> problems_of(const FleetRow& row);

// Everything below /monitor/.
using StoredKeys = std::map<std::string, Stored>;

// By agent id. Files have no lease, so with `fresh_ns` a status older than that counts as absent.
std::vector<FleetRow> fleet_of(const StoredKeys& keys, int64_t wall_ns, std::optional<int64_t> fresh_ns);
std::optional<FleetRow> row_of(const StoredKeys& keys, const std::string& agent_id, int64_t wall_ns,
                               std::optional<int64_t> fresh_ns);

// Forgotten agents (AgentInventory::forgotten_ns) without a status, with the time, by agent id. They have no row in
// fleet_of().
std::map<std::string, int64_t, std::less<>> forgotten_of(const StoredKeys& keys, int64_t wall_ns,
                                                         std::optional<int64_t> fresh_ns);

// The stored layers of an agent; its groups are those that it reported.
LayersOrProblem layers_of(const StoredKeys& keys, const std::string& agent_id, int64_t wall_ns,
                          const Describe& describe);

// A field that needs a newer version. The newest versions come first.
struct NeededVersion {
  std::string field;  // "log_level", "metrics: interval of cpu"
  std::string since;
};
std::vector<NeededVersion> needed_versions(const nlohmann::json& document);
// Compares versions: "0.10.0" is newer than "0.9.1". Text that is not a version is older than any version.
bool is_older(std::string_view version, std::string_view than);

// A value of the merged document and its origin.
struct Explained {
  std::string path;   // JSON pointer
  std::string value;  // JSON
  std::string key;    // key of the layer, as described; empty: a built-in default
  int64_t revision = 0;
};
std::vector<Explained> explain(const std::vector<Layer>& layers);

}  // namespace monitor::config

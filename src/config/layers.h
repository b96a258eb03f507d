// Selects the layers of an agent's configuration from the keys, in order, and the active overrides. The engine and
// `monitor-config explain` share it. Pure functions.
//
//   defaults < groups in order < the agent's own
//     < overrides of all agents < overrides of the groups < overrides of the agent, each by name
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "config/document.h"
#include "config/source.h"
#include "config/validate.h"

namespace monitor::config {

// The agent whose configuration is selected.
struct AgentIdentity {
  std::string agent_id;
  std::vector<std::string> groups = {};  // from the command line, lowest first
  std::string own_key = {};              // empty: agent_key(agent_id)

  std::string key() const { return own_key.empty() ? agent_key(agent_id) : own_key; }
};

// The groups of the command line, then those of the agent's own document, without duplicates.
std::vector<std::string> groups_in(const AgentIdentity& identity, const KeySet& keys);
WatchSet watch_set(const AgentIdentity& identity, const std::vector<std::string>& groups);

struct LayerSet {
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  std::vector<Layer> layers;           // active layers, lowest first
  std::vector<std::string> overrides;  // names of the active overrides: agents/<id>/<name>, all/<name>
  int64_t next_expiry_ns = kNever;     // Unix time at which the next override ends
};

// Describes a key in messages: its file, or the key itself.
using Describe = std::function<std::string(const std::string& key)>;

// Errors: a document that cannot be read or parsed, an override whose `expires_at` is not a time. Overrides that have
// ended are skipped.
struct LayersOrProblem {
  LayerSet set;
  std::vector<Problem> problems;  // empty if valid
};
LayersOrProblem make_layers(const AgentIdentity& identity, const KeySet& keys, int64_t wall_ns,
                            const Describe& describe);

inline constexpr std::string_view kExpiresAt = "expires_at";

// Hash of the merged document; equal documents have equal hashes. 16 hexadecimal digits: 64-bit FNV-1a of the JSON with
// sorted keys and without spaces.
std::string document_hash(const std::vector<Layer>& layers);

}  // namespace monitor::config

// From keys to layers: which keys an agent's configuration is made of, in which order, and which overrides are in
// force. Pure: the engine and `monitor-config explain` use the same.
//
//   defaults < groups in order < the agent's own < overrides of the groups < overrides of the agent, each by name
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

// Selects the configuration of one agent.
struct AgentIdentity {
  std::string agent_id;
  std::vector<std::string> groups = {};  // of the command line, lowest first
  std::string own_key = {};              // empty: agent_key(agent_id)

  std::string key() const { return own_key.empty() ? agent_key(agent_id) : own_key; }
};

// The command line's groups, then those of the own document, without duplicates.
std::vector<std::string> groups_in(const AgentIdentity& identity, const KeySet& keys);
WatchSet watch_set(const AgentIdentity& identity, const std::vector<std::string>& groups);

struct LayerSet {
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  std::vector<Layer> layers;           // lowest first; those that are in force
  std::vector<std::string> overrides;  // of these, the names: agents/<id>/<name>, groups/<group>/<name>
  int64_t next_expiry_ns = kNever;     // Unix time at which the next override ends
};

// For people: the file of a key, or the key.
using Describe = std::function<std::string(const std::string& key)>;

// Errors, as one problem: a document that cannot be read or parsed, an override whose `expires_at` is no time. An
// override that has ended is left out.
struct LayersOrProblem {
  LayerSet set;
  std::vector<Problem> problems;  // empty: good
};
LayersOrProblem make_layers(const AgentIdentity& identity, const KeySet& keys, int64_t wall_ns,
                            const Describe& describe);

inline constexpr std::string_view kExpiresAt = "expires_at";

// Of the merged document: equal documents have equal hashes. 16 hexadecimal digits (FNV-1a, 64 bits, of the JSON with
// sorted keys and without spaces).
std::string document_hash(const std::vector<Layer>& layers);

}  // namespace monitor::config

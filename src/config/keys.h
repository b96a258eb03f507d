// Builds, recognizes and validates configuration keys. Only this folder spells keys (tests/include_graph_test.py checks
// this). Pure functions.
//
// A key is /SEGMENT/SEGMENT/..., where each segment is a valid_name() (base/text.h): 1 to 128 of [A-Za-z0-9._-], not
// "." or "..". A valid key is therefore a safe relative path without any escaping. Every store and source validates the
// keys that it receives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor::config {

inline constexpr std::string_view kKeyRoot = "/monitor/";
// Overrides: documents applied on top of all others, each with a name: of all agents, a group or an agent.
inline constexpr std::string_view kOverridesRoot = "/monitor/overrides/";
// Lua scripts, by plugin name.
inline constexpr std::string_view kPluginsRoot = "/monitor/plugins/";
// Alerting and recording rules: files in Prometheus' format, by name.
inline constexpr std::string_view kRulesRoot = "/monitor/rules/";

// What receivers of alerts were told, in parts, for the instance that notifies next.
inline constexpr std::string_view kNotificationsRoot = "/monitor/notifications/";

// Silences of alerts, by id, for all instances.
inline constexpr std::string_view kSilencesRoot = "/monitor/silences/";

// The state of rollouts, by group.
inline constexpr std::string_view kRolloutsRoot = "/monitor/rollouts/";

// The history of documents: records of every change, by document and number. Outside kKeyRoot, so that reading all
// documents does not read it.
inline constexpr std::string_view kHistoryRoot = "/monitor-history/";
// Records with higher numbers, which nobody reaches, are ignored: numbers in keys have ten digits.
inline constexpr uint64_t kMostRecordNumber = 9'999'999'000;

inline constexpr size_t kMaxKeySegments = 8;

std::string defaults_key();                            // /monitor/defaults
std::string agent_key(std::string_view agent_id);      // /monitor/config/<agent-id>
std::string group_key(std::string_view group);         // /monitor/groups/<group>
std::string status_key(std::string_view agent_id);     // /monitor/status/<agent-id>
std::string inventory_key(std::string_view agent_id);  // /monitor/inventory/<agent-id>
std::string plugin_key(std::string_view plugin);       // /monitor/plugins/<plugin>
std::string notification_log_key(size_t part);         // /monitor/notifications/<part>
std::string silence_key(std::string_view id);          // /monitor/silences/<id>
std::string rules_key(std::string_view name);          // /monitor/rules/<name>
std::string rollout_key(std::string_view group);       // /monitor/rollouts/<group>
std::string notifier_key();                            // /monitor/leases/notifier

// Prefixes; they end with a slash.
std::string shared_overrides();                          // /monitor/overrides/all/, those of all agents
std::string agent_overrides(std::string_view agent_id);  // /monitor/overrides/agents/<agent-id>/
std::string group_overrides(std::string_view group);     // /monitor/overrides/groups/<group>/
std::string all_group_overrides();                       // /monitor/overrides/groups/

enum class KeyKind { kDefaults, kGroup, kAgent, kOverride, kPlugin, kStatus, kInventory, kOther };
// kOther: not one of the shapes above, or invalid. An override is below the prefix of all agents,
// an agent or a group.
KeyKind kind_of_key(std::string_view key);
// The last segment: the agent's id, or the name of the group, the plugin or the override. Empty for other keys.
std::string_view name_of_key(std::string_view key);

// True for documents whose changes are recorded: defaults, groups, agents and overrides.
bool has_history(std::string_view key);
// The prefix of a document's records: /monitor-history/config/<agent-id>/ for an agent's own. `key` has a history.
std::string history_prefix(std::string_view key);
// The key of a record: the prefix and the number, with ten digits or more, so that keys are in the order of numbers.
std::string history_key(std::string_view key, uint64_t number);
struct RecordPlace {
  std::string key;  // of the document
  uint64_t number = 0;
};
// The end of the range of keys that begins with the prefix.
std::string history_end(std::string_view key);
// The opposite of history_key(); nothing if `record_key` is not such a key.
std::optional<RecordPlace> place_of_record(std::string_view record_key);

// kInvalidArgument names the invalid segment. Keys outside /monitor/ are valid: --config-key may point anywhere.
Status check_key(std::string_view key);
// The same for a prefix, which ends with a slash.
Status check_prefix(std::string_view prefix);

}  // namespace monitor::config

// Builds, recognizes and validates configuration keys. Keys are spelled here and nowhere else
// (tests/include_graph_test.py checks this). Pure functions.
//
// A key is /SEGMENT/SEGMENT/..., each segment a valid_name() (base/text.h): 1 to 128 of [A-Za-z0-9._-], not "." or
// "..". A valid key is therefore a safe relative path without any escaping. Every store and source validates the keys
// it is given.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor::config {

inline constexpr std::string_view kKeyRoot = "/monitor/";
// Overrides: documents laid over an agent's or a group's own, each under a name.
inline constexpr std::string_view kOverridesRoot = "/monitor/overrides/";
// Lua scripts, by plugin name.
inline constexpr std::string_view kPluginsRoot = "/monitor/plugins/";

inline constexpr size_t kMaxKeySegments = 8;

std::string defaults_key();                            // /monitor/defaults
std::string agent_key(std::string_view agent_id);      // /monitor/config/<agent-id>
std::string group_key(std::string_view group);         // /monitor/groups/<group>
std::string status_key(std::string_view agent_id);     // /monitor/status/<agent-id>
std::string inventory_key(std::string_view agent_id);  // /monitor/inventory/<agent-id>
std::string plugin_key(std::string_view plugin);       // /monitor/plugins/<plugin>

// Prefixes; they end with a slash.
std::string agent_overrides(std::string_view agent_id);  // /monitor/overrides/agents/<agent-id>/
std::string group_overrides(std::string_view group);     // /monitor/overrides/groups/<group>/
std::string all_group_overrides();                       // /monitor/overrides/groups/

enum class KeyKind { kDefaults, kGroup, kAgent, kOverride, kPlugin, kStatus, kInventory, kOther };
// kOther: valid, but none of the shapes above, or not valid. An override is below an agent's or a group's prefix.
KeyKind kind_of_key(std::string_view key);
// The agent's id, the group's, the plugin's or the override's name: the last segment. Empty without one.
std::string_view name_of_key(std::string_view key);

// kInvalidArgument names the invalid segment. Keys outside /monitor/ are valid: --config-key may point anywhere.
Status check_key(std::string_view key);
// The same for a prefix, which ends with a slash.
Status check_prefix(std::string_view prefix);

}  // namespace monitor::config

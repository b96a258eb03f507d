// The only place that spells the keys of the configuration, and the one check of them. Pure functions.
//
// A key is /SEGMENT/SEGMENT/..., each segment a valid_name() (base/text.h): 1 to 128 of [A-Za-z0-9._-], not "." or
// "..". So a key that passes is safe as a path below a folder, as it is written: no escaping is ever undone. Every
// store and source checks what it is asked for, whoever asks.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor::config {

inline constexpr std::string_view kKeyRoot = "/monitor/";
// What lies on top, under a name each.
inline constexpr std::string_view kOverridesRoot = "/monitor/overrides/";
// Scripts that are plugins, by name.
inline constexpr std::string_view kPluginsRoot = "/monitor/plugins/";

inline constexpr size_t kMaxKeySegments = 8;

std::string defaults_key();                            // /monitor/defaults
std::string agent_key(std::string_view agent_id);      // /monitor/config/<agent-id>
std::string group_key(std::string_view group);         // /monitor/groups/<group>
std::string status_key(std::string_view agent_id);     // /monitor/status/<agent-id>
std::string inventory_key(std::string_view agent_id);  // /monitor/inventory/<agent-id>
// Prefixes below kOverridesRoot: /monitor/overrides/agents/<agent-id>/, .../groups/<group>/
std::string agent_overrides(std::string_view agent_id);
std::string group_overrides(std::string_view group);

enum class KeyKind { kDefaults, kGroup, kAgent, kOverride, kPlugin, kStatus, kInventory, kOther };
// kOther: valid, but none of the shapes above, or not valid. An override is below an agent's or a group's prefix.
KeyKind kind_of_key(std::string_view key);
// The agent's id, the group's, the plugin's or the override's name: the last segment. Empty without one.
std::string_view name_of_key(std::string_view key);

// kInvalidArgument, with the segment that is wrong. Keys outside /monitor/ pass: an agent's own may lie anywhere.
Status check_key(std::string_view key);
// The same for what ends with a slash.
Status check_prefix(std::string_view prefix);

}  // namespace monitor::config

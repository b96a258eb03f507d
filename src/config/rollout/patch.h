// The override that gives one agent what a new document of its group would give it. Pure functions.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/document.h"

namespace monitor::config::rollout {

// The merge patch (RFC 7396) that makes `to` of `from`.
nlohmann::json merge_patch_between(const nlohmann::json& from, const nlohmann::json& to);

// The patch on top of all layers after which the agent's settings are those that it has when the layer `key` is
// `document`. Layers above that one keep their effect. `lower`: how many layers are below it; it is inserted there if
// it is missing.
nlohmann::json patch_of(const std::vector<Layer>& layers, const std::string& key, size_t lower,
                        const Document& document);

// The name of a rollout's overrides. Digits come before letters, so that overrides of operators are above it.
std::string override_name(std::string_view group);
// The group of which the override of this name is; nothing: it is not of a rollout.
std::optional<std::string> group_of_override(std::string_view name);
// Groups with longer names cannot have rollouts, because the override's name has the group's.
inline constexpr size_t kMaxGroupBytes = 118;

}  // namespace monitor::config::rollout

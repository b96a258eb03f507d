#include "config/rollout/patch.h"

#include <algorithm>

namespace monitor::config::rollout {

using nlohmann::json;

namespace {

constexpr std::string_view kPrefix = "0-rollout.";

}  // namespace

json merge_patch_between(const json& from, const json& to) {
  json patch = json::object();
  if (!from.is_object() || !to.is_object()) return to;
  for (const auto& [name, value] : from.items()) {
    const auto found = to.find(name);
    if (found == to.end()) {
      patch[name] = nullptr;
    } else if (value != *found) {
      patch[name] = merge_patch_between(value, *found);
    }
  }
  for (const auto& [name, value] : to.items()) {
    if (!from.contains(name)) patch[name] = value;
  }
  return patch;
}

json patch_of(const std::vector<Layer>& layers, const std::string& key, size_t lower, const Document& document) {
  std::vector<Layer> changed = layers;
  const auto found = std::find_if(changed.begin(), changed.end(), [&](const Layer& one) { return one.key == key; });
  if (found != changed.end()) {
    found->document = document;
  } else {
    changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(std::min(lower, changed.size())),
                   Layer{key, 0, document, false});
  }
  const json from = merge_layers(layers);
  return merge_patch_between(from.is_object() ? from : json::object(), merge_layers(changed));
}

std::string override_name(std::string_view group) { return std::string(kPrefix).append(group); }

std::optional<std::string> group_of_override(std::string_view name) {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  return std::string(name.substr(kPrefix.size()));
}

}  // namespace monitor::config::rollout

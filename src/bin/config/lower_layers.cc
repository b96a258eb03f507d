#include "bin/config/lower_layers.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "config/document.h"
#include "config/keys.h"

namespace monitor {

namespace {

Status add_layer(nlohmann::json& merged, const config::StoredKeys& keys, const std::string& key) {
  const auto found = keys.find(key);
  if (found == keys.end()) return {};
  const auto document = config::Document::parse(found->second.value);
  if (!document) return document.error().with_context(key);
  merged.merge_patch(document->value());
  return {};
}

}  // namespace

Result<std::string> lower_layers(const ConfigContext& context, const std::string& key,
                                 const std::vector<config::FieldChange>& changes) {
  const auto sets = [](const config::FieldChange& one) { return one.kind == config::FieldChange::Kind::kSet; };
  if (std::ranges::all_of(changes, sets)) return std::string("{}");
  const auto keys = context.all();
  if (!keys) return keys.error();
  if (context.agent_id.empty()) {
    auto merged = nlohmann::json::object();
    if (Status added = add_layer(merged, *keys, config::defaults_key()); !added) return added.error();
    const std::string group = config::group_key(context.group);
    if (!context.group.empty() && key != group) {
      if (Status added = add_layer(merged, *keys, group); !added) return added.error();
    }
    return merged.dump();
  }
  auto others = *keys;
  others.erase(key);
  auto made =
      config::layers_of(others, context.agent_id, context.wall_ns(), [](const std::string& one) { return one; });
  if (!made.problems.empty()) return Error(Code::kInvalidArgument, made.problems.front().to_string());
  const bool own = config::kind_of_key(key) == config::KeyKind::kAgent;
  // Overrides are above the agent's own document.
  if (own) {
    std::erase_if(made.set.layers, [](const config::Layer& layer) {
      return config::kind_of_key(layer.key) == config::KeyKind::kOverride;
    });
  }
  return config::merge_layers(made.set.layers).dump();
}

}  // namespace monitor

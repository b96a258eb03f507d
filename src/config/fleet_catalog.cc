#include "config/fleet_catalog.h"

#include <algorithm>

namespace monitor::config {

namespace {

KeySet scripts_in(const StoredKeys& keys) {
  KeySet set;
  for (auto at = keys.lower_bound(std::string(kPluginsRoot)); at != keys.end() && at->first.starts_with(kPluginsRoot);
       ++at) {
    set.entries[at->first] = {at->second.value, std::nullopt, at->second.revision};
  }
  return set;
}

}  // namespace

FleetCatalog::FleetCatalog(const PluginCatalog& others, const StoredKeys& keys, int64_t wall_ns,
                           std::optional<int64_t> fresh_ns)
    : others_(others), keys_(scripts_in(keys)), scripts_(others, keys_), names_(scripts_.plugin_names()) {
  for (const FleetRow& row : fleet_of(keys, wall_ns, fresh_ns)) {
    if (!lives(row.state)) continue;
    for (const std::string& name : row.plugins) {
      if (std::find(names_.begin(), names_.end(), name) == names_.end()) names_.push_back(name);
    }
  }
}

std::optional<Problem> FleetCatalog::check_plugin(const std::string& name, const std::string& config) const {
  return scripts_.check_plugin(name, config);
}

std::optional<std::string> FleetCatalog::elsewhere(const std::string& name) const {
  if (!others_.elsewhere(name)) return std::nullopt;
  return "no built-in plugin, no script in " + std::string(kPluginsRoot) +
         ", and no live agent has it in its plugin folder; agents keep their configuration until they have the plugin";
}

}  // namespace monitor::config

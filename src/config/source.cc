#include "config/source.h"

#include <algorithm>

namespace monitor::config {

std::string agent_key(std::string_view agent_id) { return std::string(kKeyRoot) + "config/" + std::string(agent_id); }
std::string defaults_key() { return std::string(kKeyRoot) + "defaults"; }
std::string group_key(std::string_view group) { return std::string(kKeyRoot) + "groups/" + std::string(group); }

std::string agent_overrides(std::string_view agent_id) {
  return std::string(kOverridesRoot) + "agents/" + std::string(agent_id) + "/";
}
std::string group_overrides(std::string_view group) {
  return std::string(kOverridesRoot) + "groups/" + std::string(group) + "/";
}

bool WatchSet::contains(const std::string& key) const {
  return keys.contains(key) || std::any_of(prefixes.begin(), prefixes.end(),
                                           [&](const std::string& prefix) { return key.starts_with(prefix); });
}

}  // namespace monitor::config

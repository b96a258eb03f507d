#include "config/script_catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace monitor::config {

std::vector<std::string> ScriptCatalog::plugin_names() const {
  std::vector<std::string> names = others_.plugin_names();
  const std::string root(kPluginsRoot);
  for (auto at = keys_.entries.lower_bound(root); at != keys_.entries.end() && at->first.starts_with(root); ++at) {
    std::string name = at->first.substr(root.size());
    if (valid_name(name) && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  }
  return names;
}

const Entry* ScriptCatalog::find(const std::string& name) const {
  const auto found = keys_.entries.find(plugin_key(name));
  return found == keys_.entries.end() ? nullptr : &found->second;
}

bool ScriptCatalog::others_know(const std::string& name) const {
  const std::vector<std::string> names = others_.plugin_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<Problem> ScriptCatalog::check_plugin(const std::string& name, const std::string& config) const {
  // A script validates its configuration when it starts.
  return others_know(name) ? others_.check_plugin(name, config) : std::nullopt;
}

Result<PluginCode> ScriptCatalog::code_of(const std::string& name) const {
  const Entry* const script = find(name);
  if (script == nullptr) return others_.code_of(name);
  if (others_know(name)) {
    return Error(Code::kAlreadyExists, fmt::format("{} is ambiguous: the script {}{} and another plugin; rename one",
                                                   name, kPluginsRoot, name));
  }
  if (script->fault) return *script->fault;
  return PluginCode{PluginKind::kScript, script->value, ""};
}

}  // namespace monitor::config

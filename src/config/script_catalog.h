// ScriptCatalog: adds the scripts stored with the configuration to another catalog. Names are looked up among built-in
// plugins, the plugin folder and scripts; an ambiguous name is rejected. All constructor arguments must outlive it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/source.h"
#include "config/validate.h"

namespace monitor::config {

class ScriptCatalog final : public PluginCatalog {
 public:
  ScriptCatalog(const PluginCatalog& others, const KeySet& keys) : others_(others), keys_(keys) {}

  std::vector<std::string> plugin_names() const override;
  std::optional<Problem> check_plugin(const std::string& name, const std::string& config) const override;
  Result<PluginCode> code_of(const std::string& name) const override;
  bool is_python_class(const std::string& name) const override { return others_.is_python_class(name); }
  std::optional<std::string> elsewhere(const std::string& name) const override { return others_.elsewhere(name); }

 private:
  const Entry* find(const std::string& name) const;
  bool others_know(const std::string& name) const;

  const PluginCatalog& others_;
  const KeySet& keys_;
};

}  // namespace monitor::config

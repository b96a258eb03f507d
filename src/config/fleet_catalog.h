// FleetCatalog: the plugins that agents on other machines may have: those of another catalog (the built-in ones),
// scripts stored with the configuration, and the plugin folders of live agents. An unknown name is accepted with a
// warning if the other catalog allows it. All constructor arguments must outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/fleet.h"
#include "config/script_catalog.h"

namespace monitor::config {

class FleetCatalog final : public PluginCatalog {
 public:
  // `keys`, `wall_ns` and `fresh_ns` are as for fleet_of().
  FleetCatalog(const PluginCatalog& others, const StoredKeys& keys, int64_t wall_ns, std::optional<int64_t> fresh_ns);
  FleetCatalog(const FleetCatalog&) = delete;
  FleetCatalog& operator=(const FleetCatalog&) = delete;

  std::vector<std::string> plugin_names() const override { return names_; }
  std::optional<Problem> check_plugin(const std::string& name, const std::string& config) const override;
  Result<PluginCode> code_of(const std::string& name) const override { return scripts_.code_of(name); }
  std::optional<std::string> elsewhere(const std::string& name) const override;

 private:
  const PluginCatalog& others_;
  KeySet keys_;
  ScriptCatalog scripts_;
  std::vector<std::string> names_;
};

}  // namespace monitor::config

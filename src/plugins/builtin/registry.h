// The built-in plugins, by name.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/validate.h"
#include "plugins/api/plugin.h"

namespace monitor::agent {

// nullptr for an unknown name.
std::unique_ptr<Plugin> make_plugin(std::string_view name);
std::vector<std::string> builtin_plugins();
bool is_builtin(std::string_view name);

// Makes and initializes a plugin. On success `out` has it; else the problem says why (its path is relative to the
// plugin's configuration).
std::optional<config::Problem> start_plugin(const std::string& name, const std::string& config_json,
                                            metrics::SeriesTable& table, std::unique_ptr<Plugin>& out);

// Answers what validation asks of plugins, by starting one and throwing it away.
class BuiltinCatalog final : public config::PluginCatalog {
 public:
  std::vector<std::string> plugin_names() const override { return builtin_plugins(); }
  std::optional<config::Problem> check_plugin(const std::string& name, const std::string& config) const override;
};

// For who writes configurations for agents elsewhere: they may have plugins that are not known here. A name that is
// nearly a built-in one is still taken for a slip.
class AuthorsCatalog final : public config::PluginCatalog {
 public:
  std::vector<std::string> plugin_names() const override { return builtin_plugins(); }
  std::optional<config::Problem> check_plugin(const std::string& name, const std::string& config) const override;
  std::optional<std::string> elsewhere(const std::string& name) const override;
};

}  // namespace monitor::agent

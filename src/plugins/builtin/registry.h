// Registry: the built-in plugins by name. Pure functions.
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

// Creates and initializes a plugin in `out`. The path of a problem is relative to the plugin's configuration.
std::optional<config::Problem> start_plugin(const std::string& name, const std::string& config_json,
                                            metrics::SeriesTable& table, std::unique_ptr<Plugin>& out);

// Validates a plugin's configuration by starting the plugin and discarding it.
class BuiltinCatalog final : public config::PluginCatalog {
 public:
  std::vector<std::string> plugin_names() const override { return builtin_plugins(); }
  std::optional<config::Problem> check_plugin(const std::string& name, const std::string& config) const override;
};

// For authors of configuration, whose agents may have plugins that are unknown here. A name that nearly matches a
// built-in one still counts as a typing error.
class AuthorsCatalog final : public config::PluginCatalog {
 public:
  std::vector<std::string> plugin_names() const override { return builtin_plugins(); }
  std::optional<config::Problem> check_plugin(const std::string& name, const std::string& config) const override;
  std::optional<std::string> elsewhere(const std::string& name) const override;
};

}  // namespace monitor::agent

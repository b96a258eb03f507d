#include "plugins/builtin/registry.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "plugins/builtin/deduplication.h"
#include "plugins/builtin/derive.h"
#include "plugins/builtin/filter.h"
#include "plugins/builtin/my_plugin.h"
#include "plugins/builtin/rate_limit.h"
#include "plugins/builtin/rename.h"
#include "plugins/builtin/scale.h"
#include "plugins/builtin/threshold_tag.h"

namespace monitor::agent {

namespace {

template <typename P>
std::unique_ptr<Plugin> make() {
  return std::make_unique<P>();
}

struct Registered {
  std::string_view name;
  std::unique_ptr<Plugin> (*make)();
};

// To add a plugin, write two files and add a line here.
constexpr std::array<Registered, 8> kPlugins = {{
    {"deduplication", make<Deduplication>},
    {"derive", make<Derive>},
    {"filter", make<Filter>},
    {"my_plugin", make<MyPlugin>},
    {"rate_limit", make<RateLimit>},
    {"rename", make<Rename>},
    {"scale", make<Scale>},
    {"threshold_tag", make<ThresholdTag>},
}};

config::Problem problem_of(std::string message) {
  config::Problem problem;
  problem.message = std::move(message);
  return problem;
}

}  // namespace

std::unique_ptr<Plugin> make_plugin(std::string_view name) {
  for (const Registered& plugin : kPlugins) {
    if (plugin.name == name) return plugin.make();
  }
  return nullptr;
}

std::vector<std::string> builtin_plugins() {
  std::vector<std::string> names;
  names.reserve(std::size(kPlugins));
  for (const Registered& plugin : kPlugins) names.emplace_back(plugin.name);
  return names;
}

bool is_builtin(std::string_view name) {
  return std::any_of(kPlugins.begin(), kPlugins.end(), [&](const Registered& one) { return one.name == name; });
}

std::optional<config::Problem> start_plugin(const std::string& name, const std::string& config_json,
                                            metrics::SeriesTable& table, std::unique_ptr<Plugin>& out) {
  std::unique_ptr<Plugin> plugin = make_plugin(name);
  if (plugin == nullptr) return problem_of("unknown plugin " + name);
  const auto config = nlohmann::json::parse(config_json, nullptr, false);
  if (!config.is_object()) return problem_of("its configuration must be an object");
  Options options(config);
  try {
    plugin->initialize(options, table);
  } catch (const std::exception& e) {
    return problem_of(std::string("cannot be started: ") + e.what());
  } catch (...) {
    return problem_of("cannot be started: it threw something that is not an exception");
  }
  if (auto problem = options.problem()) return problem;
  out = std::move(plugin);
  return std::nullopt;
}

std::optional<config::Problem> BuiltinCatalog::check_plugin(const std::string& name, const std::string& config) const {
  metrics::SeriesTable table;
  std::unique_ptr<Plugin> plugin;
  return start_plugin(name, config, table, plugin);
}

std::optional<config::Problem> AuthorsCatalog::check_plugin(const std::string& name, const std::string& config) const {
  return is_builtin(name) ? BuiltinCatalog().check_plugin(name, config) : std::nullopt;
}

std::optional<std::string> AuthorsCatalog::elsewhere(const std::string& name) const {
  constexpr size_t kShort = 3;  // a prefix of a built-in name counts as unfinished from this length on
  const std::vector<std::string> known = builtin_plugins();
  if (!valid_name(name) || nearest(name, known)) return std::nullopt;
  const bool begun = std::any_of(known.begin(), known.end(), [&](const std::string& one) {
    return name.size() >= kShort && one.starts_with(name);
  });
  if (begun) return std::nullopt;
  return "not a built-in plugin; an agent that does not have it rejects this configuration";
}

}  // namespace monitor::agent

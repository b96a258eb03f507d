#include "bin/config/override_commands.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>

#include "base/escape.h"
#include "base/text.h"
#include "base/time_format.h"
#include "bin/config/lower_layers.h"
#include "config/foreign_json.h"

namespace monitor {

namespace {

using nlohmann::ordered_json;

constexpr int64_t kLeast = kNanosPerSecond;
constexpr int64_t kMost = int64_t{30} * 24 * 3600 * kNanosPerSecond;

std::string prefix_of(const ConfigContext& context) {
  if (context.defaults) return config::shared_overrides();
  if (!context.agent_id.empty()) return config::agent_overrides(context.agent_id);
  return context.group.empty() ? std::string(config::kOverridesRoot) : config::group_overrides(context.group);
}

bool names_agents(const ConfigContext& context) {
  return context.defaults || !context.agent_id.empty() || !context.group.empty();
}

}  // namespace

int run_override_set(const ConfigContext& context, const OverrideFlags& flags,
                     const std::vector<config::FieldChange>& changes, const config::PluginCatalog& plugins) {
  if (!names_agents(context)) {
    return context.cli.usage_error("override set: set --agent-id, --group, or --defaults for all agents");
  }
  if (changes.empty()) return context.cli.usage_error("override set: give at least one setting, as interval=100ms");
  if (flags.for_ns < kLeast || flags.for_ns > kMost) {
    return context.cli.usage_error(fmt::format("--for: got {}, expected 1s to 30d", format_duration(flags.for_ns)));
  }
  const std::string key = prefix_of(context) + flags.name;
  const auto below = lower_layers(context, key, changes);
  if (!below) return config_failure(below.error());
  auto text = config::edit_document(std::nullopt, changes, false, config::Edited::kShared, plugins, *below);
  if (!text) return config_failure(text.error().with_context("nothing was written"));
  const int64_t ends = context.wall_ns() + flags.for_ns;
  ordered_json document = ordered_json::parse(*text);
  document[std::string(config::kExpiresAt)] = format_rfc3339(ends, 3);
  config::ChangeNote note = context.note;
  note.at_ns = context.wall_ns();
  const auto done = context.store.put_noted_for(key, note, document.dump(4) + "\n", flags.for_ns);
  if (!done) return config_failure(done.error().with_context("nothing was written to " + context.store.describe(key)));
  std::cout << fmt::format("{} written until {}{}\n", key, format_rfc3339(ends, 0),
                           *done == 0 ? "" : fmt::format(", revision {}", *done))
            << std::flush;
  print_warnings(context, *text, config::Edited::kShared, plugins);
  return kExitOk;
}

int run_override_list(const ConfigContext& context, const std::string& format) {
  const auto keys = context.store.list(prefix_of(context));
  if (!keys) return config_failure(keys.error());
  for (const auto& [key, stored] : *keys) {
    auto document = config::parse_foreign<ordered_json>(stored.value);
    std::string ends;
    if (document.is_object() && document.contains(config::kExpiresAt) && document[config::kExpiresAt].is_string()) {
      ends = document[config::kExpiresAt].get<std::string>();
      document.erase(std::string(config::kExpiresAt));
    }
    const auto time = parse_rfc3339(ends);
    const bool over = time && *time <= context.wall_ns();
    if (format == "json") {
      const ordered_json object = {{"key", key},
                                   {"expires_at", ends.empty() ? ordered_json() : ordered_json(ends)},
                                   {"over", over},
                                   {"revision", stored.revision},
                                   {"document", document.is_discarded() ? ordered_json() : document}};
      std::cout << json_line(object) << "\n";
      continue;
    }
    const std::string left =
        over   ? "over"
        : time ? "for " + format_duration((*time - context.wall_ns()) / kNanosPerSecond * kNanosPerSecond)
               : "as long as its key";
    std::cout << fmt::format("{}  {}  {}\n", printable(key.substr(config::kOverridesRoot.size())), left,
                             document.is_discarded() ? "not JSON" : json_line(document));
  }
  return kExitOk;
}

int run_override_end(const ConfigContext& context, const OverrideFlags& flags) {
  if (!names_agents(context)) {
    return context.cli.usage_error("override end: set --agent-id, --group, or --defaults for all agents");
  }
  const std::string key = prefix_of(context) + flags.name;
  bool was_there = false;
  config::ChangeNote note = context.note;
  note.at_ns = context.wall_ns();
  const auto done = context.store.update_noted(
      key, note, [&](const std::optional<config::Stored>& current) -> Result<std::optional<std::string>> {
        was_there = current.has_value();
        return std::optional<std::string>();
      });
  if (!done) return config_failure(done.error());
  if (!was_there) {
    std::cerr << fmt::format("monitor-config: {} does not exist ({})\n", printable(key),
                             printable(context.store.describe(key)));
    return kExitNegative;
  }
  std::cout << fmt::format("{} ended\n", printable(key));
  return kExitOk;
}

}  // namespace monitor

// monitor-config diff.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <map>

#include "base/counted.h"
#include "base/escape.h"
#include "base/text.h"
#include "bin/common/input.h"
#include "bin/config/history_commands.h"
#include "config/document.h"
#include "config/history/text_diff.h"
#include "config/keys.h"
#include "config/schema.h"

namespace monitor {

namespace {

using nlohmann::ordered_json;
using Text = std::optional<std::string>;

constexpr size_t kMostInput = size_t{64} * 1024 * 1024;

struct Side {
  std::string name;
  Text text;
};

Result<Side> previous_of(const ConfigContext& context, const std::string& key) {
  const auto history = context.store.history(key, 2);
  if (!history) return history.error();
  if (!*history || (*history)->versions.size() < 2) {
    if (*history && (*history)->complete) return Side{"before the first change", std::nullopt};
    return Error(Code::kNotFound, key + " has no earlier version in its history");
  }
  const config::Version& version = (*history)->versions[1];
  if (!version.kept) return Error(Code::kNotFound, key + ": the text before the last change was too large to keep");
  return Side{fmt::format("revision {}", version.stored.revision),
              version.deleted ? std::nullopt : Text(version.stored.value)};
}

Result<Side> side_of(const ConfigContext& context, Disk& disk, const std::string& key, const std::string& name) {
  if (name == "live") {
    const auto stored = context.store.get(key);
    if (!stored) return stored.error();
    return Side{"live", *stored ? Text((*stored)->value) : std::nullopt};
  }
  if (name == "previous") return previous_of(context, key);
  if (const auto revision = parse_i64(name)) {
    const auto version = find_version(context, key, *revision);
    if (!version) return version.error();
    return Side{"revision " + name, version->deleted ? std::nullopt : Text(version->stored.value)};
  }
  auto text = read_input(disk, name, kMostInput);
  if (!text) return text.error();
  const auto document = config::Document::parse(*text);
  if (!document) return Error(Code::kInvalidArgument, fmt::format("{}: {}", name, document.error().message()));
  return Side{name == "-" ? "standard input" : name, std::move(*text)};
}

// An agent's effective configuration with `text` in the place of the document.
Result<nlohmann::json> merged_with(const ConfigContext& context, config::StoredKeys keys, const std::string& key,
                                   const Text& text, const std::string& agent) {
  if (text) {
    keys[key] = config::Stored{*text, keys.contains(key) ? keys[key].revision : 0};
  } else {
    keys.erase(key);
  }
  const auto made = config::layers_of(keys, agent, context.wall_ns(), [](const std::string& one) { return one; });
  if (!made.problems.empty()) return Error(Code::kInvalidArgument, agent + ": " + made.problems.front().to_string());
  auto merged = nlohmann::json::parse(config::default_document());
  merged.merge_patch(config::merge_layers(made.set.layers));
  return merged;
}

std::vector<std::string> agents_of(const ConfigContext& context, const config::StoredKeys& keys,
                                   const std::string& key) {
  if (config::kind_of_key(key) == config::KeyKind::kAgent) return {std::string(config::name_of_key(key))};
  std::vector<std::string> agents;
  for (const auto& row : config::fleet_of(keys, context.wall_ns(), context.fresh_ns())) agents.push_back(row.agent_id);
  return agents;
}

int print_merged(const ConfigContext& context, const std::string& key, const Side& from, const Side& to, bool json) {
  const auto keys = context.all();
  if (!keys) return config_failure(keys.error());
  // Agents with the same difference are shown together.
  std::map<std::string, std::vector<std::string>> agents_by_diff;
  const auto agents = agents_of(context, *keys, key);
  for (const std::string& agent : agents) {
    const auto before = merged_with(context, *keys, key, from.text, agent);
    if (!before) return config_failure(before.error());
    const auto after = merged_with(context, *keys, key, to.text, agent);
    if (!after) return config_failure(after.error());
    if (*before == *after) continue;
    if (!json) {
      agents_by_diff[config::unified_diff(before->dump(4) + "\n", after->dump(4) + "\n")].push_back(agent);
      continue;
    }
    ordered_json changes = ordered_json::array();
    for (const auto& one : config::value_changes(*before, *after)) {
      changes.push_back({{"path", one.pointer},
                         {"before", one.before.empty() ? ordered_json() : ordered_json::parse(one.before)},
                         {"after", one.after.empty() ? ordered_json() : ordered_json::parse(one.after)}});
    }
    std::cout << json_line({{"agent", agent}, {"from", from.name}, {"to", to.name}, {"changes", changes}}) << "\n";
    agents_by_diff[agent].push_back(agent);
  }
  for (const auto& [diff, names] : agents_by_diff) {
    if (json) break;
    constexpr size_t kNamed = 10;
    const std::vector<std::string> first(names.begin(), names.begin() + std::min(names.size(), kNamed));
    const std::string more = names.size() > kNamed ? fmt::format(" and {} more", names.size() - kNamed) : "";
    std::cout << fmt::format("--- {}{}, effective with {}\n+++ with {}\n", printable(join(first, ", ")), more,
                             printable(from.name), printable(to.name));
    print_diff(diff);
  }
  if (agents_by_diff.empty()) std::cerr << fmt::format("no difference for {}\n", counted(agents.size(), "agent"));
  std::cout << std::flush;
  return agents_by_diff.empty() ? kExitOk : kExitNegative;
}

}  // namespace

int run_diff(const ConfigContext& context, Disk& disk, const std::string& key, const DiffFlags& flags) {
  if (flags.sides.size() > 2) return context.cli.usage_error("diff: at most two versions can be compared");
  std::string from = flags.sides.empty() ? "previous" : flags.sides[0];
  std::string to = flags.sides.size() == 2 ? flags.sides[1] : "live";
  // A single file is compared with what is stored: what would storing it change?
  const bool file = from != "live" && from != "previous" && !parse_i64(from);
  if (flags.sides.size() == 1 && file) std::swap(from, to);
  const auto before = side_of(context, disk, key, from);
  if (!before) return config_failure(before.error());
  const auto after = side_of(context, disk, key, to);
  if (!after) return config_failure(after.error());
  const bool json = flags.format == "json";
  if (flags.merged) return print_merged(context, key, *before, *after, json);
  if (config::same_document(before->text, after->text)) {
    if (!json) {
      std::cerr << (before->text == after->text ? "no difference\n"
                                                : "no difference, except in the form of the text\n");
    }
    return kExitOk;
  }
  if (json) {
    ordered_json changes = ordered_json::array();
    for (const auto& one : config::document_changes(before->text, after->text)) {
      changes.push_back({{"path", one.pointer},
                         {"before", one.before.empty() ? ordered_json() : ordered_json::parse(one.before)},
                         {"after", one.after.empty() ? ordered_json() : ordered_json::parse(one.after)}});
    }
    std::cout << json_line({{"key", key}, {"from", before->name}, {"to", after->name}, {"changes", changes}}) << "\n";
  } else {
    std::cout << fmt::format("--- {} {}\n+++ {} {}\n", printable(key), printable(before->name), printable(key),
                             printable(after->name));
    print_diff(config::document_diff(before->text, after->text));
  }
  std::cout << std::flush;
  return kExitNegative;
}

}  // namespace monitor

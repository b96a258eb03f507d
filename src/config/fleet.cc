#include "config/fleet.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "config/schema.h"

namespace monitor::config {

using nlohmann::json;

namespace {

std::set<std::string> agents_in(const StoredKeys& keys) {
  std::set<std::string> ids;
  for (const std::string& prefix : {status_key(""), inventory_key("")}) {
    for (auto at = keys.lower_bound(prefix); at != keys.end() && at->first.starts_with(prefix); ++at) {
      const KeyKind kind = kind_of_key(at->first);
      if (kind == KeyKind::kStatus || kind == KeyKind::kInventory) ids.emplace(name_of_key(at->first));
    }
  }
  return ids;
}

KeySet key_set(const StoredKeys& keys, const WatchSet& what) {
  KeySet set;
  const auto add = [&](StoredKeys::const_iterator at) {
    set.entries[at->first] = {at->second.value, std::nullopt, at->second.revision};
  };
  for (const std::string& key : what.keys) {
    if (const auto found = keys.find(key); found != keys.end()) add(found);
  }
  for (const std::string& prefix : what.prefixes) {
    for (auto at = keys.lower_bound(prefix); at != keys.end() && at->first.starts_with(prefix); ++at) add(at);
  }
  return set;
}

std::optional<AgentInventory> inventory_of(const StoredKeys& keys, const std::string& id) {
  const auto found = keys.find(inventory_key(id));
  if (found == keys.end()) return std::nullopt;
  auto inventory = parse_inventory(found->second.value);
  return inventory ? std::optional(std::move(*inventory)) : AgentInventory{};
}

std::optional<AgentStatus> status_of(const StoredKeys& keys, const std::string& id, int64_t wall_ns,
                                     std::optional<int64_t> fresh_ns) {
  const auto found = keys.find(status_key(id));
  if (found == keys.end()) return std::nullopt;
  auto status = parse_status(found->second.value);
  if (!status) return std::nullopt;
  if (fresh_ns && wall_ns - status->updated_ns > *fresh_ns) return std::nullopt;
  return std::move(*status);
}

KeySet keys_of(const StoredKeys& keys, const AgentIdentity& identity) {
  // In two steps, because the agent's own document may list groups.
  const KeySet own = key_set(keys, watch_set(identity, identity.groups));
  return key_set(keys, watch_set(identity, groups_in(identity, own)));
}

// Decides by the revisions of single keys whether the agent has the stored documents.
bool has_documents(const FleetRow& row, const KeySet& stored) {
  // An older agent reports only the revision that it has read up to, which does not show deletions.
  if (row.status.revision < 0) return row.status.applied >= row.wanted;
  // With --config-key, the agent's own document may be under another key.
  return row.status.mark == mark_of(stored) || row.status.mark == mark_of(stored, agent_key(row.agent_id));
}

// Whether the agent's error is about the stored documents. Otherwise it has not read them yet.
bool has_refused(const FleetRow& row, const StoredKeys& keys) {
  // An older agent does not report what it has refused.
  if (row.status.refused.empty()) return true;
  // Its groups may be those of a document that it refused, which differ from the groups in force.
  const KeySet stored = keys_of(keys, {row.agent_id, row.status.refused_groups});
  return row.status.refused == contents_mark_of(stored) ||
         row.status.refused == contents_mark_of(stored, agent_key(row.agent_id));
}

AgentState judge_keys(FleetRow& row, const StoredKeys& keys, const KeySet& stored) {
  const bool has = has_documents(row, stored);
  if (row.status.error.empty() && has) {
    row.applied = row.wanted;
    return AgentState::kApplied;
  }
  row.applied = row.status.revision < 0 ? row.status.applied : row.status.revision;
  const bool newer = row.wanted > row.status.desired;
  const bool failed = !row.status.error.empty() && !newer && has_refused(row, keys);
  // One of its documents was deleted. No stored key has the revision of that deletion, which is later than every
  // revision that the agent has read.
  if (row.applied == row.wanted) row.wanted = std::max(row.status.applied, row.status.desired) + 1;
  return failed ? AgentState::kFailed : AgentState::kPending;
}

AgentState judge_files(FleetRow& row, const StoredKeys& keys, const AgentIdentity& identity, const KeySet& stored,
                       int64_t wall_ns) {
  row.applied = row.status.revision < 0 ? row.status.applied : row.status.revision;
  if (!row.status.error.empty()) {
    row.wanted = row.status.desired == row.applied ? row.applied + 1 : row.status.desired;
    return has_refused(row, keys) ? AgentState::kFailed : AgentState::kPending;
  }
  const auto made = make_layers(identity, stored, wall_ns, [](const std::string& key) { return key; });
  const bool same =
      made.problems.empty() && (made.set.layers.empty() || document_hash(made.set.layers) == row.status.hash);
  row.wanted = same ? row.applied : row.applied + 1;
  return same ? AgentState::kApplied : AgentState::kPending;
}

// Decides by the agent's own report whether it has applied the stored documents.
AgentState judge(FleetRow& row, const StoredKeys& keys, int64_t wall_ns) {
  const AgentIdentity identity{row.agent_id, row.status.groups};
  const KeySet stored = keys_of(keys, identity);
  for (const auto& [key, entry] : stored.entries) row.wanted = std::max(row.wanted, entry.revision);
  return row.wanted > 0 ? judge_keys(row, keys, stored) : judge_files(row, keys, identity, stored, wall_ns);
}

void need(std::vector<NeededVersion>& needed, std::string field, std::string_view since) {
  needed.push_back({std::move(field), std::string(since)});
}

void need_for_metric(std::vector<NeededVersion>& needed, const json& entry) {
  const json& named = entry.is_object() && entry.contains("name") ? entry.at("name") : entry;
  const std::string name = named.is_string() ? named.get<std::string>() : "";
  // Before 0.2.0, agents reject such an entry.
  if (name == "default" || name.ends_with('?')) need(needed, fmt::format("metrics: {}", name), "0.2.0");
  for (const Selector& selector : selectors()) {
    if (selector.name == name) need(needed, fmt::format("metrics: {}", name), selector.since);
  }
  if (!entry.is_object()) return;
  for (const MetricOption& option : metric_options()) {
    const std::string field(option.setting.name);
    if (entry.contains(field)) need(needed, fmt::format("metrics: {} of {}", field, name), option.setting.since);
  }
}

std::array<uint64_t, 3> parts_of(std::string_view version) {
  std::array<uint64_t, 3> parts{};
  const auto words = split(version, '.');
  for (size_t i = 0; i < std::min(words.size(), parts.size()); ++i) {
    const std::string_view digits = words[i].substr(0, words[i].find_first_not_of("0123456789"));
    parts[i] = parse_u64(digits).value_or(0);
  }
  return parts;
}

void explain_value(const std::vector<Layer>& layers, const std::string& path, const json& value,
                   std::vector<Explained>& out) {
  if (value.is_object() && !value.empty()) {
    for (const auto& [name, part] : value.items()) explain_value(layers, path + pointer_step(name), part, out);
    return;
  }
  const Layer* const origin = origin_of(layers, path);
  out.push_back({path, value.dump(-1, ' ', false, json::error_handler_t::replace), origin ? origin->key : "",
                 origin ? origin->revision : 0});
}

}  // namespace

std::string_view to_string(AgentState state) {
  constexpr std::array<std::string_view, 5> kNames = {"applied", "pending", "failed", "stopped", "gone"};
  return kNames.at(static_cast<size_t>(state));
}

std::vector<std::string> problems_of(const FleetRow& row) {
  std::vector<std::string> found;
  if (!lives(row.state)) return found;
  const AgentStatus& status = row.status;
  if (!status.error.empty()) found.push_back("configuration refused: " + status.error);
  for (const PluginStatus& plugin : status.plugins) {
    if (plugin.state != "quarantined") continue;
    found.push_back(
        fmt::format("plugin {} is quarantined{}{}", plugin.name, plugin.error.empty() ? "" : ": ", plugin.error));
  }
  if (!status.warning.empty()) found.push_back(status.warning);
  for (const MountStatus& mount : status.mounts) found.push_back(fmt::format("mount {} hangs", mount.mount));
  if (status.series_full) found.emplace_back("no room for more series");
  if (found.size() > kMostProblems) found.resize(kMostProblems);
  for (std::string& one : found) one = sanitize_utf8(one.substr(0, kMostProblemBytes));
  return found;
}

std::optional<FleetRow> row_of(const StoredKeys& keys, const std::string& agent_id, int64_t wall_ns,
                               std::optional<int64_t> fresh_ns) {
  const auto inventory = inventory_of(keys, agent_id);
  auto status = status_of(keys, agent_id, wall_ns, fresh_ns);
  if (!status && (!inventory || inventory->forgotten_ns != 0)) return std::nullopt;
  FleetRow row;
  row.agent_id = agent_id;
  if (inventory) {
    row.seen_ns = inventory->last_seen_ns;
    row.plugins = inventory->plugins;
  }
  if (!status) {
    row.status.host = inventory->host;
    row.status.version = inventory->version;
    row.status.groups = inventory->groups;
    if (inventory->stopped_ns != 0) row.state = AgentState::kStopped;
    return row;
  }
  row.status = std::move(*status);
  row.seen_ns = std::max(row.seen_ns, row.status.updated_ns);
  row.state = judge(row, keys, wall_ns);
  return row;
}

std::vector<FleetRow> fleet_of(const StoredKeys& keys, int64_t wall_ns, std::optional<int64_t> fresh_ns) {
  std::vector<FleetRow> rows;
  for (const std::string& id : agents_in(keys)) {
    if (auto row = row_of(keys, id, wall_ns, fresh_ns)) rows.push_back(std::move(*row));
  }
  return rows;
}

std::map<std::string, int64_t, std::less<>> forgotten_of(const StoredKeys& keys, int64_t wall_ns,
                                                         std::optional<int64_t> fresh_ns) {
  std::map<std::string, int64_t, std::less<>> found;
  const std::string prefix = inventory_key("");
  for (auto at = keys.lower_bound(prefix); at != keys.end() && at->first.starts_with(prefix); ++at) {
    const auto inventory = parse_inventory(at->second.value);
    if (!inventory || inventory->forgotten_ns == 0) continue;
    std::string id(name_of_key(at->first));
    if (!status_of(keys, id, wall_ns, fresh_ns)) found.emplace(std::move(id), inventory->forgotten_ns);
  }
  return found;
}

LayersOrProblem layers_of(const StoredKeys& keys, const std::string& agent_id, int64_t wall_ns,
                          const Describe& describe) {
  AgentIdentity identity{agent_id};
  if (const auto inventory = inventory_of(keys, agent_id)) identity.groups = inventory->groups;
  return make_layers(identity, keys_of(keys, identity), wall_ns, describe);
}

std::vector<NeededVersion> needed_versions(const json& document) {
  std::vector<NeededVersion> needed;
  if (!document.is_object()) return needed;
  for (const Setting& one : settings()) {
    const json::json_pointer path("/" + std::string(one.name));
    if (document.contains(path)) need(needed, std::string(one.name), one.since);
  }
  const auto metrics = document.find("metrics");
  if (metrics != document.end() && metrics->is_array()) {
    for (const json& entry : *metrics) need_for_metric(needed, entry);
  }
  std::stable_sort(needed.begin(), needed.end(),
                   [](const auto& a, const auto& b) { return is_older(b.since, a.since); });
  return needed;
}

bool is_older(std::string_view version, std::string_view than) { return parts_of(version) < parts_of(than); }

std::vector<Explained> explain(const std::vector<Layer>& layers) {
  json merged = merge_layers(layers);
  if (!merged.is_object()) return {};  // validation rejects this layer
  for (const Setting& one : settings()) {
    const bool top = one.name.find('/') == std::string_view::npos;
    if (top && !one.default_value.empty() && !merged.contains(one.name)) {
      merged[std::string(one.name)] = json::parse(one.default_value);
    }
  }
  std::vector<Explained> out;
  for (const auto& [name, value] : merged.items()) explain_value(layers, pointer_step(name), value, out);
  return out;
}

}  // namespace monitor::config

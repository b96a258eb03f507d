#include "config/rollout/sight.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "base/time_format.h"
#include "config/foreign_json.h"
#include "config/rollout/patch.h"

namespace monitor::config::rollout {

using nlohmann::json;

namespace {

constexpr size_t kMostCached = 30'000;

std::string identity(const std::string& key) { return key; }

// A present override, without the time at which it ends.
struct Present {
  std::string patch;
  int64_t ends_ns = 0;
};

Present present_of(const Stored& stored) {
  json document = parse_foreign<json>(stored.value);
  Present present;
  if (!document.is_object()) return present;
  if (const auto found = document.find(kExpiresAt); found != document.end()) {
    if (found->is_string())
      present.ends_ns = parse_rfc3339(found->get_ref<const std::string&>()).ok()
                            ? *parse_rfc3339(found->get_ref<const std::string&>())
                            : 0;
    document.erase(found);
  }
  present.patch = document.dump(-1, ' ', false, json::error_handler_t::replace);
  return present;
}

std::string override_text(const std::string& patch, int64_t ends_ns) {
  json document = json::parse(patch);
  document[std::string(kExpiresAt)] = format_rfc3339(ends_ns, 3);
  return document.dump(4) + "\n";
}

// The documents of an agent without the rollout's own override.
KeySet documents_of(const StoredKeys& keys, const AgentIdentity& who, const std::string& without) {
  KeySet set;
  const auto add = [&](const std::string& key) {
    const auto found = keys.find(key);
    if (found == keys.end() || key == without) return;
    set.entries[key] = {found->second.value, std::nullopt, found->second.revision};
  };
  add(who.key());  // it may list groups
  const WatchSet watched = watch_set(who, groups_in(who, set));
  for (const std::string& key : watched.keys) add(key);
  for (const std::string& prefix : watched.prefixes) {
    if (prefix == kPluginsRoot) continue;
    for (auto at = keys.lower_bound(prefix); at != keys.end() && at->first.starts_with(prefix); ++at) add(at->first);
  }
  return set;
}

std::string signature_of(const KeySet& set, const std::vector<std::string>& groups) {
  std::string text = join(groups, ",");
  for (const auto& [key, entry] : set.entries) {
    text += '\n' + key + '@';
    text += entry.revision > 0 ? std::to_string(entry.revision) : entry.value;
  }
  return text;
}

std::map<std::string, std::string> labels_in(const json& merged) {
  std::map<std::string, std::string> labels;
  const auto found = merged.find("labels");
  if (found == merged.end() || !found->is_object()) return labels;
  for (const auto& [name, value] : found->items()) {
    if (value.is_string()) labels[name] = value.get<std::string>();
  }
  return labels;
}

class Looker {
 public:
  Looker(const Rollout& rollout, const StoredKeys& keys, const LookOptions& options, LookCache& cache)
      : rollout_(rollout),
        keys_(keys),
        options_(options),
        cache_(cache),
        document_(Document::parse(rollout.document)) {}

  Sight look() {
    look_at_group();
    collect_overrides();
    for (const std::string& id : known_agents()) add(id);
    // The newest first; files have no revisions, so the order of names must do.
    std::stable_sort(sight_.to_remove.begin(), sight_.to_remove.end(), [](const BatchWrite& a, const BatchWrite& b) {
      return a.expected->revision > b.expected->revision;
    });
    return std::move(sight_);
  }

 private:
  void look_at_group() {
    const auto found = keys_.find(group_key(rollout_.group));
    if (found != keys_.end()) sight_.group = found->second;
    const std::string now = sight_.group ? digest_of(sight_.group->value) : "";
    if (now == rollout_.base &&
        (rollout_.base_revision == 0 || !sight_.group || sight_.group->revision == rollout_.base_revision)) {
      sight_.document = GroupDocument::kBase;
    } else {
      sight_.document = now == rollout_.content ? GroupDocument::kNew : GroupDocument::kOther;
    }
  }

  void collect_overrides() {
    const std::string root(kOverridesRoot);
    const std::string suffix = "/" + override_name(rollout_.group);
    for (auto at = keys_.lower_bound(root); at != keys_.end() && at->first.starts_with(root); ++at) {
      if (at->first.ends_with(suffix) && kind_of_key(at->first) == KeyKind::kOverride) {
        sight_.to_remove.push_back({at->first, at->second, std::nullopt});
      }
    }
  }

  std::vector<std::string> known_agents() const {
    std::vector<std::string> ids;
    for (const std::string& prefix : {inventory_key(""), status_key("")}) {
      for (auto at = keys_.lower_bound(prefix); at != keys_.end() && at->first.starts_with(prefix); ++at) {
        const KeyKind kind = kind_of_key(at->first);
        if (kind == KeyKind::kInventory || kind == KeyKind::kStatus) ids.emplace_back(name_of_key(at->first));
      }
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
  }

  bool changed_elsewhere(const std::string& id) const {
    const std::string prefix = agent_overrides(id);
    for (auto at = keys_.lower_bound(prefix); at != keys_.end() && at->first.starts_with(prefix); ++at) {
      const auto group = group_of_override(name_of_key(at->first));
      if (group && *group != rollout_.group) return true;
    }
    return false;
  }

  void add(const std::string& id) {
    const auto row = row_of(keys_, id, options_.wall_ns, options_.fresh_ns);
    if (!row) return;
    const auto& groups = row->status.groups;
    if (std::find(groups.begin(), groups.end(), rollout_.group) == groups.end()) return;
    if (changed_elsewhere(id)) {
      sight_.elsewhere.push_back(id);
      return;
    }
    const std::string key = agent_overrides(id) + override_name(rollout_.group);
    const auto found = keys_.find(key);
    const std::optional<Stored> present = found == keys_.end() ? std::nullopt : std::optional(found->second);
    const bool live = lives(row->state);
    if (!live && !present) {
      ++sight_.counts.away;
      sight_.members.push_back({{id, ""}, false, Way::kAway, ""});
      return;
    }
    const LookCache::Entry& layers = layers_of_agent(*row, key);
    Member member{{id, label_of(layers)}};
    member.chosen = is_changed(member.candidate, present.has_value());
    if (live) ++sight_.counts.members;
    if (member.chosen) judge(*row, key, present, layers, member);
    count(member);
    sight_.members.push_back(std::move(member));
  }

  // While a rollout is undone, an agent is changed until its override is gone.
  bool is_changed(const Candidate& candidate, bool has_override) const {
    if (rollout_.state == State::kUndoing || is_over(rollout_.state)) return has_override;
    return rollout_.chosen &&
           is_chosen(rollout_.thresholds, rollout_.steps[rollout_.step].all(), rollout_.salt, candidate);
  }

  std::string label_of(const LookCache::Entry& layers) const {
    if (rollout_.spread_by.empty()) return "";
    const auto found = layers.labels.find(rollout_.spread_by);
    return found == layers.labels.end() ? "" : found->second;
  }

  const LookCache::Entry& layers_of_agent(const FleetRow& row, const std::string& without) {
    const AgentIdentity who{row.agent_id, row.status.groups};
    const KeySet set = documents_of(keys_, who, without);
    const std::string signature = rollout_.content + "\n" + signature_of(set, row.status.groups);
    const bool known = cache_.knows(signature);
    LookCache::Entry& entry = cache_.of(signature);
    if (!known) fill(who, set, entry);
    return entry;
  }

  void fill(const AgentIdentity& who, const KeySet& set, LookCache::Entry& entry) const {
    const auto made = make_layers(who, set, options_.wall_ns, identity);
    if (!made.problems.empty() || !document_) {
      entry.problem = made.problems.empty() ? "the new document is not valid" : made.problems.front().to_string();
      entry.patch = document_ ? document_->value().dump(-1, ' ', false, json::error_handler_t::replace) : "{}";
      return;
    }
    size_t lower = 0;  // layers below the group's
    const std::vector<std::string> groups = groups_in(who, set);
    const auto below = [&](const std::string& key) {
      if (key == defaults_key()) return true;
      for (const std::string& group : groups) {
        if (group == rollout_.group) return false;
        if (key == group_key(group)) return true;
      }
      return false;
    };
    for (const Layer& layer : made.set.layers) lower += below(layer.key) ? 1 : 0;
    const json patch = patch_of(made.set.layers, group_key(rollout_.group), lower, *document_);
    entry.patch = patch.dump(-1, ' ', false, json::error_handler_t::replace);
    entry.labels = labels_in(merge_layers(made.set.layers));
  }

  // How far a chosen agent is; notes what is to be written.
  void judge(const FleetRow& row, const std::string& key, const std::optional<Stored>& present,
             const LookCache::Entry& layers, Member& member) {
    // It runs the new document by the group's own.
    if (rollout_.state == State::kFinishing && sight_.document == GroupDocument::kNew && !present) {
      member.way = row.state == AgentState::kApplied ? Way::kApplied : Way::kPending;
      return;
    }
    const Present has = present ? present_of(*present) : Present{};
    const bool right = present && has.patch == layers.patch;
    const bool lasting = has.ends_ns - options_.wall_ns > options_.life_ns / 2;
    const bool live = lives(row.state);
    if (live && (!right || !lasting)) {
      sight_.to_write.push_back({key, present, override_text(layers.patch, options_.wall_ns + options_.life_ns)});
    }
    if (!live) {
      const bool stopped = row.state == AgentState::kStopped;
      member.way = stopped ? Way::kAway : Way::kGone;
      if (!stopped) member.why = fmt::format("gone, last seen at {}", format_rfc3339(row.seen_ns, 0));
      return;
    }
    if (!right) {
      member.way = Way::kPending;
      return;
    }
    const int64_t written_ns = has.ends_ns - options_.life_ns;
    if (row.state == AgentState::kFailed) {
      member.way = Way::kRefused;
      member.why = row.status.error;
    } else if (row.status.since_ns > written_ns) {
      member.way = Way::kRestarted;
      member.why = fmt::format("began anew at {}, after it was changed", format_rfc3339(row.status.since_ns, 0));
    } else if (const PluginStatus* const plugin = quarantined(row, written_ns)) {
      member.way = Way::kQuarantined;
      member.why = fmt::format("plugin {} is quarantined: {}", plugin->name, plugin->error);
    } else {
      member.way = row.state == AgentState::kApplied ? Way::kApplied : Way::kPending;
    }
  }

  static const PluginStatus* quarantined(const FleetRow& row, int64_t since_ns) {
    for (const PluginStatus& plugin : row.status.plugins) {
      if (plugin.state == "quarantined" && (plugin.error_ns == 0 || plugin.error_ns > since_ns)) return &plugin;
    }
    return nullptr;
  }

  void count(const Member& member) {
    Counts& counts = sight_.counts;
    if (member.chosen && member.way != Way::kAway) ++counts.changed;
    switch (member.way) {
      case Way::kApplied:
        ++counts.applied;
        break;
      case Way::kPending:
        ++counts.pending;
        break;
      case Way::kRefused:
        ++counts.refused;
        break;
      case Way::kGone:
        ++counts.gone;
        break;
      case Way::kRestarted:
        ++counts.restarted;
        break;
      case Way::kQuarantined:
        ++counts.quarantined;
        break;
      case Way::kAway:
        ++counts.away;
        break;
      case Way::kUnchanged:
        break;
    }
    if (failed(member.way) && sight_.troubles.size() < kMostTroubles) {
      sight_.troubles.push_back(
          {member.candidate.agent_id, sanitize_utf8(std::string_view(member.why).substr(0, kMostTroubleBytes))});
    }
  }

  const Rollout& rollout_;
  const StoredKeys& keys_;
  const LookOptions& options_;
  LookCache& cache_;
  const Result<Document> document_;
  Sight sight_;
};

}  // namespace

std::string_view to_string(Way way) {
  constexpr std::array<std::string_view, 8> kNames = {"unchanged", "pending",   "applied",     "refused",
                                                      "gone",      "restarted", "quarantined", "away"};
  return kNames.at(static_cast<size_t>(way));
}

LookCache::Entry& LookCache::of(const std::string& signature) {
  if (entries_.size() >= kMostCached && !entries_.contains(signature)) entries_.clear();
  return entries_[signature];
}

Sight look(const Rollout& rollout, const StoredKeys& keys, const LookOptions& options, LookCache& cache) {
  return Looker(rollout, keys, options, cache).look();
}

std::vector<Candidate> candidates_of(const Sight& sight) {
  std::vector<Candidate> candidates;
  for (const Member& member : sight.members) {
    if (member.way != Way::kAway && member.way != Way::kGone) candidates.push_back(member.candidate);
  }
  return candidates;
}

Result<StoredKeys> read_keys(ConfigStore& store) {
  StoredKeys all;
  // Documents before statuses: an agent then never seems to have applied what is older than what is stored.
  for (const std::string& prefix :
       {group_key(""), agent_key(""), std::string(kOverridesRoot), std::string(kPluginsRoot),
        std::string(kRolloutsRoot), inventory_key(""), status_key("")}) {
    auto part = store.list(prefix);
    if (!part) return part.error();
    all.merge(*part);
  }
  auto defaults = store.get(defaults_key());
  if (!defaults) return defaults.error();
  if (*defaults) all[defaults_key()] = std::move(**defaults);
  return all;
}

std::vector<std::string> agents_of_group(const StoredKeys& keys, const std::string& group, const LookOptions& options) {
  std::vector<std::string> ids;
  for (const FleetRow& row : fleet_of(keys, options.wall_ns, options.fresh_ns)) {
    const auto& groups = row.status.groups;
    if (std::find(groups.begin(), groups.end(), group) != groups.end()) ids.push_back(row.agent_id);
  }
  return ids;
}

}  // namespace monitor::config::rollout

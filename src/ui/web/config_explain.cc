// ConfigService: what agents make of the documents: an agent's effective values with their origin, and what a change
// would change for which agents.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "base/text.h"
#include "config/foreign_json.h"
#include "config/keys.h"
#include "config/status.h"
#include "ui/web/config_json.h"
#include "ui/web/config_service.h"

namespace monitor::analysis::web {

using nlohmann::ordered_json;

namespace {

constexpr size_t kMostRows = 200;  // agents that a preview lists

std::string same_key(const std::string& key) { return key; }

ordered_json parsed(const std::string& json) { return ordered_json::parse(json, nullptr, false); }

using Values = std::map<std::string, std::string>;  // JSON by path

// What a change means for an agent, and for every other one with the same documents.
struct Effect {
  bool uses = false;  // the document is one of its layers
  std::vector<std::string> problems;
  ordered_json changes = ordered_json::array();
};

class Preview {
 public:
  Preview(const config::StoredKeys& before, const config::StoredKeys& after, std::string key,
          const config::FleetCatalog& plugins, int64_t wall_ns)
      : before_(before), after_(after), key_(std::move(key)), plugins_(plugins), wall_ns_(wall_ns) {}

  // The effect on an agent is shared by all agents without documents of their own that are in the same groups.
  std::shared_ptr<const Effect> effect_on(const std::string& agent) {
    if (has_own(before_, agent) || has_own(after_, agent)) return compute(agent);
    std::string groups;
    if (const auto found = before_.find(config::inventory_key(agent)); found != before_.end()) {
      const auto inventory = config::parse_inventory(found->second.value);
      if (inventory) groups = join(inventory->groups, "/");
    }
    auto& known = shared_[groups];
    if (known == nullptr) known = compute(agent);
    return known;
  }

 private:
  static bool has_own(const config::StoredKeys& keys, const std::string& agent) {
    const std::string overrides = config::agent_overrides(agent);
    const auto at = keys.lower_bound(overrides);
    return keys.contains(config::agent_key(agent)) || (at != keys.end() && at->first.starts_with(overrides));
  }

  static Values values_of(const config::LayersOrProblem& made) {
    Values values;
    if (!made.problems.empty()) return values;
    for (const config::Explained& one : config::explain(made.set.layers)) values.emplace(one.path, one.value);
    return values;
  }

  std::shared_ptr<const Effect> compute(const std::string& agent) const {
    auto effect = std::make_shared<Effect>();
    const auto old = config::layers_of(before_, agent, wall_ns_, same_key);
    const auto made = config::layers_of(after_, agent, wall_ns_, same_key);
    const auto uses = [this](const config::Layer& layer) { return layer.key == key_; };
    const auto concerns = [this](const config::Problem& problem) { return problem.key == key_; };
    effect->uses = std::ranges::any_of(old.set.layers, uses) || std::ranges::any_of(made.set.layers, uses) ||
                   std::ranges::any_of(made.problems, concerns);
    std::vector<config::Problem> problems = made.problems;
    if (problems.empty()) problems = config::validate(made.set.layers, plugins_).problems;
    for (const config::Problem& problem : problems) {
      if (!problem.warning) effect->problems.push_back(problem.to_string());
    }
    const Values was = values_of(old);
    const Values is = values_of(made);
    std::set<std::string> paths;
    for (const auto& [path, value] : was) paths.insert(path);
    for (const auto& [path, value] : is) paths.insert(path);
    for (const std::string& path : paths) {
      const auto a = was.find(path);
      const auto b = is.find(path);
      if (a != was.end() && b != is.end() && a->second == b->second) continue;
      effect->changes.push_back({{"path", path},
                                 {"before", a == was.end() ? ordered_json() : parsed(a->second)},
                                 {"after", b == is.end() ? ordered_json() : parsed(b->second)}});
    }
    return effect;
  }

  const config::StoredKeys& before_;
  const config::StoredKeys& after_;
  const std::string key_;
  const config::FleetCatalog& plugins_;
  const int64_t wall_ns_;
  std::map<std::string, std::shared_ptr<const Effect>> shared_;
};

// The text of the changed document; nothing: it is deleted.
Result<std::optional<std::string>> parse_preview(const std::string& body) {
  const auto request = config::parse_foreign<nlohmann::json>(body);
  if (!request.is_object() || (request.contains("value") && !request["value"].is_string())) {
    return Error(Code::kInvalidArgument, R"(body: expected {"value": TEXT}, or {} for a deletion)");
  }
  if (!request.contains("value")) return std::optional<std::string>();
  return std::optional(request["value"].get<std::string>());
}

}  // namespace

Reply ConfigService::explain(const std::string& agent) {
  if (!valid_name(agent)) return error_reply(400, "agent: expected 1 to 128 characters of [A-Za-z0-9._-]");
  const auto all = keys();
  if (!all) return error_reply(all.error());
  const auto opened = store();
  const auto place = [&](const std::string& key) {
    return key.empty() ? ordered_json() : ordered_json((*opened)->describe(key));
  };
  const auto made = config::layers_of(*all, agent, clock_.wall_ns(), same_key);
  std::vector<config::Problem> problems = made.problems;
  if (problems.empty()) problems = config::validate(made.set.layers, catalog(*all)).problems;
  ordered_json values = ordered_json::array();
  ordered_json layers = ordered_json::array();
  if (made.problems.empty()) {
    for (const auto& one : config::explain(made.set.layers)) {
      values.push_back({{"path", one.path},
                        {"value", parsed(one.value)},
                        {"layer", one.key.empty() ? ordered_json() : ordered_json(one.key)},
                        {"key", place(one.key)},
                        {"revision", one.revision}});
    }
    for (const config::Layer& layer : made.set.layers) {
      layers.push_back({{"layer", layer.key}, {"key", place(layer.key)}, {"revision", layer.revision}});
    }
  }
  ordered_json list = ordered_json::array();
  for (config::Problem& problem : problems) {
    if (!problem.key.empty()) problem.key = (*opened)->describe(problem.key);
    list.push_back(problem_json(problem));
  }
  return json_reply(dump_json({{"agent", agent},
                               {"valid", problems.empty() || problems.front().warning},
                               {"problems", list},
                               {"layers", layers},
                               {"values", values}}));
}

Reply ConfigService::preview(const std::string& key, const std::string& body) {
  const auto value = parse_preview(body);
  if (!value) return error_reply(400, value.error().message());
  if (!edited_as(key) && kind_of_document(key) != "override") return no_such_key(key);
  const auto all = keys();
  if (!all) return error_reply(all.error());
  config::StoredKeys after = *all;
  if (*value) {
    after[key] = {**value, 0};
  } else {
    after.erase(key);
  }
  const config::FleetCatalog plugins = catalog(*all);
  Preview preview(*all, after, key, plugins, clock_.wall_ns());
  ordered_json rows = ordered_json::array();
  size_t agents = 0;
  size_t uses = 0;
  size_t affected = 0;
  size_t refusing = 0;
  for (const config::FleetRow& row : config::fleet_of(*all, clock_.wall_ns(), fresh_ns())) {
    ++agents;
    const auto effect = preview.effect_on(row.agent_id);
    uses += effect->uses ? 1 : 0;
    const bool refuses = effect->uses && !effect->problems.empty();
    refusing += refuses ? 1 : 0;
    affected += effect->changes.empty() ? 0 : 1;
    if ((effect->changes.empty() && !refuses) || rows.size() >= kMostRows) continue;
    rows.push_back({{"agent", row.agent_id},
                    {"state", config::to_string(row.state)},
                    {"changes", effect->changes},
                    {"problems", refuses ? effect->problems : std::vector<std::string>()}});
  }
  return json_reply(
      dump_json({{"agents", agents}, {"uses", uses}, {"affected", affected}, {"refusing", refusing}, {"rows", rows}}));
}

}  // namespace monitor::analysis::web

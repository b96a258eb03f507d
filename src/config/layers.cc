#include "config/layers.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/text.h"
#include "base/time_format.h"

namespace monitor::config {

namespace {

constexpr size_t kMostOverrides = 100;

// The line from "line 3: ..." in Document::parse's message; else 0.
int line_of_message(std::string_view message) {
  if (!message.starts_with("line ")) return 0;
  message.remove_prefix(5);
  return static_cast<int>(parse_u64(message.substr(0, message.find(':'))).value_or(0));
}

class Maker {
 public:
  Maker(const AgentIdentity& identity, const KeySet& keys, int64_t wall_ns, const Describe& describe)
      : identity_(identity), keys_(keys), wall_ns_(wall_ns), describe_(describe) {}

  LayersOrProblem make() {
    const std::vector<std::string> groups = groups_in(identity_, keys_);
    bool good = add(defaults_key());
    for (const std::string& group : groups) good = good && add(group_key(group));
    good = good && add(identity_.key());
    good = good && add_overrides(shared_overrides());
    for (const std::string& group : groups) good = good && add_overrides(group_overrides(group));
    good = good && add_overrides(agent_overrides(identity_.agent_id));
    return std::move(result_);
  }

 private:
  Problem& problem(const std::string& key, std::string message) {
    Problem problem;
    problem.key = describe_(key);
    problem.line = line_of_message(message);
    // Removes the line from the message, because the problem reports it.
    problem.message = problem.line == 0 ? std::move(message) : message.substr(message.find(": ") + 2);
    return result_.problems.emplace_back(std::move(problem));
  }

  std::optional<Document> parse(const std::string& key, const Entry& entry) {
    auto document = entry.fault ? Result<Document>(*entry.fault) : Document::parse(entry.value);
    if (document) return std::move(*document);
    problem(key, document.error().message());
    return std::nullopt;
  }

  bool add(const std::string& key) {
    const auto found = keys_.entries.find(key);
    if (found == keys_.entries.end()) return true;
    auto document = parse(key, found->second);
    if (!document) return false;
    const bool own = key == identity_.key();
    result_.set.layers.push_back({describe_(key), found->second.revision, std::move(*document), own});
    return true;
  }

  bool add_overrides(const std::string& prefix) {
    size_t count = 0;
    for (auto at = keys_.entries.lower_bound(prefix); at != keys_.entries.end() && at->first.starts_with(prefix);
         ++at) {
      if (++count > kMostOverrides) {
        problem(prefix, fmt::format("has more than {} overrides", kMostOverrides));
        return false;
      }
      if (!add_override(at->first, at->second)) return false;
    }
    return true;
  }

  bool add_override(const std::string& key, const Entry& entry) {
    auto document = parse(key, entry);
    if (!document) return false;
    const std::string name(kExpiresAt);
    int64_t ends = LayerSet::kNever;
    if (document->value().is_object() && document->value().contains(name)) {
      const auto& value = document->value().at(name);
      const auto time = value.is_string() ? parse_rfc3339(value.get<std::string>())
                                          : Result<int64_t>(Error(Code::kInvalidArgument, "not a text"));
      if (!time) {
        Problem& fault = problem(key, "must be a time as 2026-11-22T12:00:00Z");
        fault.path = "/" + name;
        fault.line = document->line(fault.path);
        fault.got = shortened(value);
        return false;
      }
      ends = *time;
      document = document->without(name);
    }
    if (ends <= wall_ns_) return true;
    result_.set.next_expiry_ns = std::min(result_.set.next_expiry_ns, ends);
    result_.set.overrides.push_back(key.substr(kOverridesRoot.size()));
    result_.set.layers.push_back({describe_(key), entry.revision, std::move(*document), false});
    return true;
  }

  const AgentIdentity& identity_;
  const KeySet& keys_;
  int64_t wall_ns_;
  const Describe& describe_;
  LayersOrProblem result_;
};

}  // namespace

std::vector<std::string> groups_in(const AgentIdentity& identity, const KeySet& keys) {
  std::vector<std::string> groups;
  const auto add = [&](const std::string& group) {
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  };
  for (const std::string& group : identity.groups) add(group);
  const auto own = keys.entries.find(identity.key());
  if (own == keys.entries.end() || own->second.fault) return groups;
  const auto document = Document::parse(own->second.value);
  if (!document) return groups;
  for (const std::string& group : groups_of(document->value())) add(group);
  return groups;
}

WatchSet watch_set(const AgentIdentity& identity, const std::vector<std::string>& groups) {
  WatchSet what{{defaults_key(), identity.key()},
                {shared_overrides(), agent_overrides(identity.agent_id), std::string(kPluginsRoot)}};
  for (const std::string& group : groups) {
    what.keys.insert(group_key(group));
    what.prefixes.insert(group_overrides(group));
  }
  return what;
}

LayersOrProblem make_layers(const AgentIdentity& identity, const KeySet& keys, int64_t wall_ns,
                            const Describe& describe) {
  return Maker(identity, keys, wall_ns, describe).make();
}

std::string document_hash(const std::vector<Layer>& layers) {
  const std::string text = merge_layers(layers).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return fmt::format("{:016x}", hash);
}

}  // namespace monitor::config

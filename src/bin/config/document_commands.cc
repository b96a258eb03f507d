#include "bin/config/document_commands.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <iostream>
#include <set>

#include "base/escape.h"
#include "config/document.h"
#include "config/keys.h"

namespace monitor {

namespace {

using nlohmann::ordered_json;

std::string_view layer_of(config::KeyKind kind) {
  if (kind == config::KeyKind::kDefaults) return "defaults";
  return kind == config::KeyKind::kGroup ? "group" : "agent";
}

bool is_document(config::KeyKind kind) {
  return kind == config::KeyKind::kDefaults || kind == config::KeyKind::kAgent || kind == config::KeyKind::kGroup;
}

// Files have no revision.
void add_revision(ordered_json& json, int64_t revision) {
  if (revision != 0) json["revision"] = revision;
}

std::string as_json(const std::string& key, const config::Stored& stored) {
  ordered_json json = {{"key", key}};
  add_revision(json, stored.revision);
  if (config::Document::parse(stored.value)) {
    json["document"] = ordered_json::parse(stored.value);
  } else {
    json["text"] = stored.value;  // stored by another program, and not a valid document
  }
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

int run_get(const ConfigContext& context, const std::string& key, const std::string& format) {
  const auto stored = context.store.get(key);
  if (!stored) return config_failure(stored.error());
  if (!*stored) {
    std::cerr << fmt::format("monitor-config: {} does not exist ({})\n", printable(key),
                             printable(context.store.describe(key)));
    return kExitNegative;
  }
  if (format == "json") {
    std::cout << as_json(key, **stored) << "\n" << std::flush;
    return kExitOk;
  }
  // Files and pipes receive the bytes as stored.
  const std::string& value = (*stored)->value;
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  std::cout << (terminal ? printable_lines(value) : value) << (value.ends_with("\n") ? "" : "\n") << std::flush;
  if ((*stored)->revision != 0) std::cerr << fmt::format("revision {}\n", (*stored)->revision);
  return kExitOk;
}

int run_list(const ConfigContext& context, const std::string& format) {
  const auto all = context.all();
  if (!all) return config_failure(all.error());
  for (const auto& [key, stored] : *all) {
    const config::KeyKind kind = config::kind_of_key(key);
    if (!is_document(kind)) continue;
    if (format == "table") {
      std::cout << printable(key) << "\n";
      continue;
    }
    ordered_json json = {{"key", key}, {"layer", layer_of(kind)}};
    if (kind != config::KeyKind::kDefaults) json["name"] = config::name_of_key(key);
    add_revision(json, stored.revision);
    std::cout << json.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << "\n";
  }
  std::cout << std::flush;
  return kExitOk;
}

int run_names(const ConfigContext& context, const std::string& kind) {
  const auto all = context.all();
  if (!all) return config_failure(all.error());
  std::set<std::string> names;
  for (const auto& [key, stored] : *all) {
    const config::KeyKind of = config::kind_of_key(key);
    const bool agent = of == config::KeyKind::kAgent || of == config::KeyKind::kStatus;
    if (kind == "agents" ? agent : of == config::KeyKind::kGroup) names.emplace(config::name_of_key(key));
  }
  if (kind == "groups") {
    for (const config::FleetRow& row : config::fleet_of(*all, context.wall_ns(), context.fresh_ns())) {
      names.insert(row.status.groups.begin(), row.status.groups.end());
    }
  }
  for (const std::string& name : names) std::cout << printable(name) << "\n";
  std::cout << std::flush;
  return kExitOk;
}

}  // namespace monitor

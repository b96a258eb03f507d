#include "config/status.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

#include "base/time_format.h"
#include "config/foreign_json.h"
#include "config/keys.h"

namespace monitor::config {

using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr double kThousand = 1000;  // a share of processors needs no more digits

constexpr size_t kMostBytes = size_t{1} << 20;

std::string time_text(int64_t ns) { return format_rfc3339(ns, 3); }

Result<json> parse_object(std::string_view text) {
  if (text.size() > kMostBytes) {
    return Error(Code::kResourceExhausted, fmt::format("{} bytes, the limit is {}", text.size(), kMostBytes));
  }
  auto value = parse_foreign<json>(text);
  if (!value.is_object()) return Error(Code::kInvalidArgument, "not a JSON object");
  return value;
}

std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int64_t number_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}

int64_t time_of(const json& object, const char* name) {
  const auto time = parse_rfc3339(text_of(object, name));
  return time ? *time : 0;
}

std::vector<std::string> texts_of(const json& object, const char* name) {
  std::vector<std::string> result;
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) return result;
  for (const json& one : *found) {
    if (one.is_string()) result.push_back(one.get<std::string>());
  }
  return result;
}

double real_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<double>() : 0.0;
}

uint64_t count_of(const json& object, const char* name) {
  return static_cast<uint64_t>(std::max<int64_t>(0, number_of(object, name)));
}

bool flag_of(const json& object, const char* name) { return object.value(name, json()) == true; }

ordered_json json_of(const PluginStatus& plugin) {
  ordered_json object = {{"name", plugin.name},         {"kind", plugin.kind},
                         {"state", plugin.state},       {"error", plugin.error},
                         {"shadow", plugin.shadow},     {"ticks", plugin.ticks},
                         {"changed", plugin.changed},   {"dropped", plugin.dropped},
                         {"failed", plugin.failed},     {"skipped", plugin.skipped},
                         {"restarts", plugin.restarts}, {"replaced", plugin.replaced},
                         {"p50", plugin.p50},           {"p99", plugin.p99},
                         {"threads", plugin.threads},   {"cpu", std::round(plugin.cpu * kThousand) / kThousand},
                         {"memory", plugin.memory},     {"points_dropped", plugin.points_dropped}};
  if (plugin.error_ns != 0) object["error_time"] = time_text(plugin.error_ns);
  if (!plugin.version.empty()) object["version"] = plugin.version;
  return object;
}

PluginStatus plugin_of(const json& object) {
  PluginStatus plugin;
  plugin.name = text_of(object, "name");
  plugin.kind = text_of(object, "kind");
  plugin.state = text_of(object, "state");
  plugin.error = text_of(object, "error");
  plugin.shadow = flag_of(object, "shadow");
  plugin.ticks = count_of(object, "ticks");
  plugin.changed = count_of(object, "changed");
  plugin.dropped = count_of(object, "dropped");
  plugin.failed = count_of(object, "failed");
  plugin.skipped = count_of(object, "skipped");
  plugin.restarts = count_of(object, "restarts");
  plugin.replaced = count_of(object, "replaced");
  plugin.p50 = real_of(object, "p50");
  plugin.p99 = real_of(object, "p99");
  plugin.threads = count_of(object, "threads");
  plugin.cpu = real_of(object, "cpu");
  plugin.memory = count_of(object, "memory");
  plugin.points_dropped = count_of(object, "points_dropped");
  plugin.error_ns = time_of(object, "error_time");
  plugin.version = text_of(object, "version");
  return plugin;
}

void read_mounts(const json& object, AgentStatus& status) {
  const auto mounts = object.find("mounts");
  if (mounts == object.end() || !mounts->is_array()) return;
  for (const json& one : *mounts) {
    if (!one.is_object()) continue;
    status.mounts.push_back(
        {text_of(one, "mount"), text_of(one, "type"), text_of(one, "source"), time_of(one, "since")});
  }
}

std::string dump(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

void take_state(AgentStatus& status, const ConfigEngine::State& state) {
  status.desired = state.desired;
  status.applied = state.applied;
  status.revision = state.revision;
  status.mark = state.mark;
  status.last_failed = state.last_failed;
  status.error = state.error;
  status.refused = state.refused;
  status.refused_groups = state.refused_groups;
  status.deleted = state.deleted;
  status.hash = state.hash;
  status.groups = state.groups;
  status.overrides = state.overrides;
}

std::string to_json(const AgentStatus& status) {
  ordered_json plugins = ordered_json::array();
  for (const PluginStatus& plugin : status.plugins) plugins.push_back(json_of(plugin));
  ordered_json mounts = ordered_json::array();
  for (const MountStatus& mount : status.mounts) {
    mounts.push_back(
        {{"mount", mount.mount}, {"type", mount.type}, {"source", mount.source}, {"since", time_text(mount.since_ns)}});
  }
  ordered_json object = {{"version", status.version},
                         {"host", status.host},
                         {"since", time_text(status.since_ns)},
                         {"updated", time_text(status.updated_ns)},
                         {"desired", status.desired},
                         {"applied", status.applied},
                         {"last_failed", status.last_failed},
                         {"error", status.error},
                         {"deleted", status.deleted},
                         {"hash", status.hash},
                         {"groups", status.groups},
                         {"overrides", status.overrides},
                         {"plugins", plugins},
                         {"mounts", mounts},
                         {"series_full", status.series_full},
                         {"warning", status.warning}};
  if (status.revision >= 0) {
    object["revision"] = status.revision;
    object["mark"] = status.mark;
  }
  if (!status.error.empty() && !status.refused.empty()) {
    object["refused"] = status.refused;
    object["refused_groups"] = status.refused_groups;
  }
  if (status.cpu_seconds > 0) object["cpu_seconds"] = std::round(status.cpu_seconds * kThousand) / kThousand;
  if (status.certificate_expires_ns > 0) {
    object["certificate_from"] = time_text(status.certificate_from_ns);
    object["certificate_expires"] = time_text(status.certificate_expires_ns);
  }
  return dump(object);
}

Result<AgentStatus> parse_status(std::string_view text) {
  const auto object = parse_object(text);
  if (!object) return object.error();
  AgentStatus status;
  status.version = text_of(*object, "version");
  status.host = text_of(*object, "host");
  status.since_ns = time_of(*object, "since");
  status.updated_ns = time_of(*object, "updated");
  status.desired = number_of(*object, "desired");
  status.applied = number_of(*object, "applied");
  status.revision = object->contains("revision") ? number_of(*object, "revision") : -1;
  status.mark = text_of(*object, "mark");
  status.last_failed = number_of(*object, "last_failed");
  status.error = text_of(*object, "error");
  status.refused = text_of(*object, "refused");
  status.refused_groups = texts_of(*object, "refused_groups");
  status.deleted = flag_of(*object, "deleted");
  status.hash = text_of(*object, "hash");
  status.groups = texts_of(*object, "groups");
  status.overrides = texts_of(*object, "overrides");
  read_mounts(*object, status);
  status.series_full = flag_of(*object, "series_full");
  status.warning = text_of(*object, "warning");
  status.cpu_seconds = real_of(*object, "cpu_seconds");
  status.certificate_from_ns = time_of(*object, "certificate_from");
  status.certificate_expires_ns = time_of(*object, "certificate_expires");
  const auto plugins = object->find("plugins");
  if (plugins == object->end() || !plugins->is_array()) return status;
  for (const json& one : *plugins) {
    if (!one.is_object()) continue;
    status.plugins.push_back(plugin_of(one));
  }
  return status;
}

std::string to_json(const AgentInventory& inventory) {
  ordered_json object = {{"host", inventory.host},
                         {"groups", inventory.groups},
                         {"version", inventory.version},
                         {"last_seen", time_text(inventory.last_seen_ns)},
                         {"plugins", inventory.plugins}};
  if (inventory.stopped_ns != 0) object["stopped"] = time_text(inventory.stopped_ns);
  if (inventory.forgotten_ns != 0) object["forgotten"] = time_text(inventory.forgotten_ns);
  return dump(object);
}

Result<AgentInventory> parse_inventory(std::string_view text) {
  const auto object = parse_object(text);
  if (!object) return object.error();
  AgentInventory inventory;
  inventory.host = text_of(*object, "host");
  inventory.groups = texts_of(*object, "groups");
  inventory.version = text_of(*object, "version");
  inventory.last_seen_ns = time_of(*object, "last_seen");
  inventory.stopped_ns = time_of(*object, "stopped");
  inventory.forgotten_ns = time_of(*object, "forgotten");
  inventory.plugins = texts_of(*object, "plugins");
  return inventory;
}

}  // namespace monitor::config

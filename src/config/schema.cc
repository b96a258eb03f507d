#include "config/schema.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cassert>

#include "base/clock.h"

namespace monitor::config {

namespace {

using nlohmann::ordered_json;

constexpr int64_t kHour = 3600 * kNanosPerSecond;

constexpr std::string_view kDefaultMetrics = R"(["cpu", "memory", "disk read", "disk write", "net in", "net out"])";

constexpr std::array<Setting, 5> kSettings = {{
    {"interval", SettingType::kDuration, "s", "5", "10 ms to 24 h", 10 * kNanosPerMilli, 24 * kHour, R"("250ms")",
     "0.1.0",
     "Time between two ticks: seconds as a number (5, 0.1), or a text with a unit (\"250ms\", \"1m\"). Ticks stand on "
     "a "
     "steady grid; one that is missed is counted, not made up."},
    {"metrics", SettingType::kMetrics, "", kDefaultMetrics, "each selector at most once", 0, 0,
     R"(["memory", {"name": "cpu", "per_core": true}])", "0.1.0",
     "What is read at every tick: selectors, or objects with a selector as \"name\" and its options."},
    {"plugins", SettingType::kPlugins, "", "[]", "at most 32", 0, 0,
     R"([{"name": "deduplication", "config": {"tolerance": 0.01}}])", "0.1.0",
     "The chain that every tick goes through, in this order: names, or objects with \"name\" and \"config\". "
     "\"agent.plugins.<module>.<Class>\" means <module>."},
    {"send_every", SettingType::kDuration, "s", "1", "0 to 1 h", 0, kHour, "0.5", "0.1.0",
     "A batch is closed, stored and sent when the next tick is due this long or longer after its first one: at an "
     "interval of 100 ms and a send_every of 1 s, ten ticks are one batch."},
    {"labels", SettingType::kLabels, "", "{}", "at most 32, texts up to 1,024 bytes", 0, 0,
     R"({"rack": "r12", "site": "eu-1"})", "0.1.0", "Labels that every series of this agent carries."},
}};

constexpr std::array<Selector, 11> kSelectors = {{
    {"cpu", "system.cpu.utilization", "Share of time in which the processors were not idle, 0 to 1"},
    {"memory", "system.memory.utilization, system.memory.usage, system.memory.limit",
     "Memory in use (total less available), as a share and in bytes, and the total"},
    {"disk read", "system.disk.io.rate", "Bytes read a second, whole disks summed"},
    {"disk write", "system.disk.io.rate", "Bytes written a second, whole disks summed"},
    {"net in", "system.network.io.rate", "Bytes received a second, without loopback"},
    {"net out", "system.network.io.rate", "Bytes sent a second, without loopback"},
    {"load", "system.cpu.load_average.1m, .5m, .15m", "Load averages"},
    {"swap", "system.paging.usage, system.paging.utilization", "Swap space in use, in bytes and as a share"},
    {"uptime", "system.uptime", "Seconds since the host was started"},
    {"filesystem", "system.filesystem.usage, .utilization, .inodes.usage, .inodes.utilization",
     "Space and inodes in use of the mounted filesystems"},
    {"pressure", "system.pressure.stall", "Share of time in which tasks waited for a resource (PSI)"},
}};

const std::array<MetricOption, 6>& option_table() {
  static const std::array<MetricOption, 6> table = {{
      {"per_core", {"cpu"}, "One series a logical processor, labelled cpu.logical_number, beside the whole"},
      {"modes", {"cpu"}, "One series a mode (user, system, iowait, ...), labelled cpu.mode, beside the sum"},
      {"per_device", {"disk read", "disk write"}, "One series a disk, labelled system.device, beside the sum"},
      {"per_interface",
       {"net in", "net out"},
       "One series an interface, labelled network.interface.name, beside the sum"},
      {"per_filesystem",
       {"filesystem"},
       "One series a mount point, labelled system.filesystem.mountpoint, beside the sum"},
      {"counters",
       {"disk read", "disk write", "net in", "net out"},
       "The kernel's counters as well: system.disk.io, system.network.io, in bytes"},
  }};
  return table;
}

ordered_json duration_schema() {
  return {{"anyOf",
           {{{"type", "number"}}, {{"type", "string"}, {"pattern", "^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d)?)+$"}}}}};
}

ordered_json metrics_schema() {
  ordered_json entries = ordered_json::array();
  ordered_json names = ordered_json::array();
  for (const Selector& selector : kSelectors) names.push_back(selector.name);
  entries.push_back({{"enum", names}});
  for (const Selector& selector : kSelectors) {
    ordered_json properties = {{"name", {{"const", selector.name}, {"description", selector.description}}}};
    for (const MetricOption& option : option_table()) {
      for (const std::string_view applies : option.selectors) {
        if (applies != selector.name) continue;
        properties[std::string(option.name)] = {
            {"type", "boolean"}, {"default", false}, {"description", option.description}};
      }
    }
    entries.push_back(
        {{"type", "object"}, {"properties", properties}, {"required", {"name"}}, {"additionalProperties", false}});
  }
  return {{"type", "array"}, {"uniqueItems", true}, {"items", {{"anyOf", entries}}}};
}

ordered_json plugins_schema(std::span<const std::string> plugins) {
  ordered_json names = ordered_json::array();
  for (const std::string& plugin : plugins) names.push_back(plugin);
  const ordered_json name = {
      {"anyOf", {{{"enum", names}}, {{"type", "string"}, {"pattern", "^agent\\.plugins\\.[^.]+\\.[^.]+$"}}}}};
  const ordered_json object = {{"type", "object"},
                               {"properties", {{"name", name}, {"config", {{"type", "object"}}}}},
                               {"required", {"name"}},
                               {"additionalProperties", false}};
  return {{"type", "array"}, {"maxItems", 32}, {"items", {{"anyOf", {name, object}}}}};
}

}  // namespace

std::span<const Setting> settings() { return kSettings; }
std::span<const Selector> selectors() { return kSelectors; }
std::span<const MetricOption> metric_options() { return option_table(); }

const Setting& setting(std::string_view name) {
  for (const Setting& one : kSettings) {
    if (one.name == name) return one;
  }
  assert(false && "a setting that is not in the table");
  return kSettings[0];
}

std::string default_document() {
  ordered_json document = ordered_json::object();
  for (const Setting& one : kSettings) {
    if (one.type == SettingType::kLabels) continue;  // empty, and seldom wanted: not worth a line for everybody
    document[std::string(one.name)] = ordered_json::parse(one.default_value);
  }
  return document.dump(4) + "\n";
}

std::string json_schema(std::span<const std::string> plugins) {
  ordered_json properties = ordered_json::object();
  for (const Setting& one : kSettings) {
    ordered_json property;
    if (one.type == SettingType::kDuration) property = duration_schema();
    if (one.type == SettingType::kMetrics) property = metrics_schema();
    if (one.type == SettingType::kPlugins) property = plugins_schema(plugins);
    if (one.type == SettingType::kLabels) {
      property = {{"type", "object"}, {"maxProperties", 32}, {"additionalProperties", {{"type", "string"}}}};
    }
    property["description"] = fmt::format("{} Bounds: {}. Since {}.", one.description, one.bounds, one.since);
    property["default"] = ordered_json::parse(one.default_value);
    property["examples"] = ordered_json::array({ordered_json::parse(one.example)});
    properties[std::string(one.name)] = property;
  }
  const ordered_json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                               {"title", "Configuration of an agent"},
                               {"type", "object"},
                               {"properties", properties},
                               {"additionalProperties", false}};
  return schema.dump(2) + "\n";
}

std::string reference_markdown() {
  std::string out = "| setting | default | bounds | example | since |\n|---|---|---|---|---|\n";
  for (const Setting& one : kSettings) {
    out += fmt::format("| `{}` | `{}` | {} | `{}` | {} |\n", one.name, one.default_value, one.bounds, one.example,
                       one.since);
  }
  out += "\n";
  for (const Setting& one : kSettings) out += fmt::format("- **`{}`**: {}\n", one.name, one.description);
  out += "\n### Metrics\n\n| selector | what it reads | names on the wire | options |\n|---|---|---|---|\n";
  for (const Selector& selector : kSelectors) {
    std::string options;
    for (const MetricOption& option : option_table()) {
      for (const std::string_view applies : option.selectors) {
        if (applies == selector.name) options += fmt::format("{}`{}`", options.empty() ? "" : ", ", option.name);
      }
    }
    out += fmt::format("| `{}` | {} | {} | {} |\n", selector.name, selector.description, selector.produces, options);
  }
  out += "\n| option | what it adds |\n|---|---|\n";
  for (const MetricOption& option : option_table())
    out += fmt::format("| `{}` | {} |\n", option.name, option.description);
  return out;
}

}  // namespace monitor::config

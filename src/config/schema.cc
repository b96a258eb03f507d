#include "config/schema.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cassert>

#include "base/clock.h"
#include "base/text.h"

namespace monitor::config {

namespace {

using nlohmann::ordered_json;

constexpr int64_t kHour = 3600 * kNanosPerSecond;

constexpr std::string_view kDefaultMetrics = R"(["cpu", "memory", "disk read", "disk write", "net in", "net out"])";

constexpr std::string_view kLevels = "debug,info,warning,error,off";
constexpr std::string_view kFull = "drop-oldest,drop-newest";
constexpr int64_t kMiB = int64_t{1} << 20;

constexpr std::array<Setting, 9> kSettings = {{
    {.name = "interval",
     .type = SettingType::kDuration,
     .unit = "s",
     .default_value = "5",
     .bounds = "10 ms to 24 h",
     .min = 10 * kNanosPerMilli,
     .max = 24 * kHour,
     .example = R"("250ms")",
     .since = "0.1.0",
     .description =
         "Time between two ticks: a number of seconds (5, 0.1), or a string with a unit (\"250ms\", \"1m\"). Ticks "
         "follow a fixed schedule. A missed tick is counted, and not repeated later."},
    {.name = "metrics",
     .type = SettingType::kMetrics,
     .default_value = kDefaultMetrics,
     .bounds = "each selector at most once",
     .example = R"(["memory", {"name": "cpu", "per_core": true, "interval": "100ms"}])",
     .since = "0.1.0",
     .description = "The metrics to read at every tick. An entry is a selector, or an object with the selector as "
                    "\"name\" and its options."},
    {.name = "plugins",
     .type = SettingType::kPlugins,
     .default_value = "[]",
     .bounds = "at most 32",
     .example = R"([{"name": "deduplication", "config": {"tolerance": 0.01}}])",
     .since = "0.1.0",
     .description = "The plugins that every tick passes through, in this order. An entry is a name, or an object with "
                    "\"name\" and \"config\". \"agent.plugins.<module>.<Class>\" means <module>."},
    {.name = "send_every",
     .type = SettingType::kDuration,
     .unit = "s",
     .default_value = "1",
     .bounds = "0 to 1 h",
     .min = 0,
     .max = kHour,
     .example = "0.5",
     .since = "0.1.0",
     .description =
         "Maximum time span of a batch. The agent closes, stores and sends a batch when the next tick is due "
         "at least this long after the first one. With an interval of 100 ms and a send_every of 1 s, a "
         "batch holds ten ticks."},
    {.name = "labels",
     .type = SettingType::kLabels,
     .default_value = "{}",
     .bounds = "at most 32, texts up to 1,024 bytes",
     .example = R"({"rack": "r12", "site": "eu-1"})",
     .since = "0.1.0",
     .description = "Labels that every reader adds to all series of this agent. If a series has its own label of the "
                    "same name, that label takes precedence."},
    {.name = "groups",
     .type = SettingType::kNames,
     .default_value = "[]",
     .bounds = "at most 16, each 1 to 128 of [A-Za-z0-9._-]",
     .example = R"(["web", "eu"])",
     .since = "0.2.0",
     .description =
         "The agent's groups, in addition to and after those of --group. The agent's own document overrides the "
         "groups' documents, and a later group overrides an earlier one. Allowed only in the agent's own "
         "document."},
    {.name = "log_level",
     .type = SettingType::kChoice,
     .bounds = "debug, info, warning, error or off",
     .choices = kLevels,
     .example = R"("debug")",
     .since = "0.2.0",
     .description = "The agent's log level. Without it, --log-level applies."},
    {.name = "spool/max",
     .type = SettingType::kSize,
     .unit = "B",
     .bounds = "1 MiB to 1 TiB",
     .min = kMiB,
     .max = kMiB << 20,
     .example = R"("256MiB")",
     .since = "0.2.0",
     .description = "Maximum size of the agent's spool. Without it, --spool-max applies. A spool in memory holds at "
                    "most 64 MiB."},
    {.name = "spool/full",
     .type = SettingType::kChoice,
     .bounds = "drop-oldest or drop-newest",
     .choices = kFull,
     .example = R"("drop-newest")",
     .since = "0.2.0",
     .description = "Which batches the agent drops when the spool is full. Without it, --spool-full applies."},
}};

constexpr std::array<PluginField, 7> kPluginFields = {{
    {{.name = "name",
      .type = SettingType::kText,
      .bounds = "the name of a plugin that the agent has",
      .example = R"("deduplication")",
      .since = "0.1.0",
      .description = "The plugin: a built-in one, NAME.so or NAME.lua in the plugin folder, or a script that is stored "
                     "with the configuration"}},
    {{.name = "config",
      .type = SettingType::kObject,
      .default_value = "{}",
      .bounds = "defined by the plugin",
      .example = R"({"tolerance": 0.01})",
      .since = "0.1.0",
      .description = "The plugin's configuration"}},
    {{.name = "on_failure",
      .type = SettingType::kChoice,
      .default_value = R"("skip")",
      .bounds = "skip or drop",
      .choices = "skip,drop",
      .example = R"("drop")",
      .since = "0.2.0",
      .description =
          "What happens to ticks while a native plugin or script is not running: they skip the plugin, or are "
          "dropped as failed"}},
    {{.name = "shadow",
      .type = SettingType::kBoolean,
      .default_value = "false",
      .bounds = "true or false",
      .example = "true",
      .since = "0.2.0",
      .description = "The plugin runs without effect: the agent only counts what it would change and drop"}},
    {{.name = "deadline",
      .type = SettingType::kDuration,
      .unit = "s",
      .bounds = "1 ms to 10 s",
      .min = kNanosPerMilli,
      .max = 10 * kNanosPerSecond,
      .example = R"("100ms")",
      .since = "0.2.0",
      .description =
          "How long a native plugin or script may take for a tick. After that, its host process is killed and the tick "
          "is lost. The default is 1 s for a native plugin, and 10 s plus a budget of processor time for a script. All "
          "scripts share one host process, and lose their state with it"}},
    {{.name = "threads",
      .type = SettingType::kCount,
      .default_value = "16",
      .bounds = "a whole number from 0 to 1000",
      .min = 0,
      .max = 1000,
      .example = "4",
      .since = "0.2.0",
      .description = "How many threads a native plugin may start. With 0, the kernel refuses the first thread. With a "
                     "higher limit, a plugin that exceeds it is stopped and quarantined. Scripts have no threads"}},
    {{.name = "cpu",
      .type = SettingType::kNumber,
      .unit = "processors",
      .default_value = "0.5",
      .bounds = "0.01 to 1000",
      .min = 10,
      .max = 1'000'000,
      .example = "1.5",
      .since = "0.2.0",
      .description =
          "How many processors all threads of a native plugin together may use, averaged over 10 s. A plugin that "
          "uses more is stopped and quarantined. A script has a budget for each tick instead"}},
}};

ordered_json duration_schema() {
  return {{"anyOf",
           {{{"type", "number"}}, {{"type", "string"}, {"pattern", "^([0-9]+(\\.[0-9]+)?(ns|us|ms|s|m|h|d)?)+$"}}}}};
}

ordered_json texts_schema(size_t most, std::string_view pattern) {
  ordered_json items = {{"type", "string"}};
  if (!pattern.empty()) items["pattern"] = pattern;
  return {{"type", "array"}, {"maxItems", most}, {"items", items}};
}

ordered_json type_schema(const Setting& one, std::span<const std::string> plugins);

ordered_json setting_schema(const Setting& one, std::span<const std::string> plugins) {
  ordered_json schema = type_schema(one, plugins);
  schema["description"] = fmt::format("{} Bounds: {}. Since {}.", one.description, one.bounds, one.since);
  if (!one.default_value.empty()) schema["default"] = ordered_json::parse(one.default_value);
  schema["examples"] = ordered_json::array({ordered_json::parse(one.example)});
  return schema;
}

ordered_json metrics_schema() {
  ordered_json entries = ordered_json::array();
  ordered_json names = ordered_json::array();
  for (const Selector& selector : selectors()) names.push_back(selector.name);
  entries.push_back({{"enum", names}});
  for (const Selector& selector : selectors()) {
    ordered_json properties = {{"name", {{"const", selector.name}, {"description", selector.description}}}};
    for (const MetricOption& option : metric_options()) {
      if (option.applies_to(selector.name)) {
        properties[std::string(option.setting.name)] = setting_schema(option.setting, {});
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
  // The name may be that of a plugin that only the agent has.
  const ordered_json own = {{"type", "string"}, {"pattern", "^[A-Za-z0-9._-]{1,128}$"}};
  ordered_json properties = ordered_json::object();
  for (const PluginField& field : kPluginFields) {
    properties[std::string(field.setting.name)] = setting_schema(field.setting, {});
  }
  properties["name"].erase("type");
  properties["name"]["anyOf"] = {name, own};
  const ordered_json object = {
      {"type", "object"}, {"properties", properties}, {"required", {"name"}}, {"additionalProperties", false}};
  return {{"type", "array"}, {"maxItems", 32}, {"items", {{"anyOf", {name, own, object}}}}};
}

ordered_json type_schema(const Setting& one, std::span<const std::string> plugins) {
  switch (one.type) {
    case SettingType::kText:
      return {{"type", "string"}};
    case SettingType::kObject:
      return {{"type", "object"}};
    case SettingType::kDuration:
      return duration_schema();
    case SettingType::kMetrics:
      return metrics_schema();
    case SettingType::kPlugins:
      return plugins_schema(plugins);
    case SettingType::kLabels:
      return {{"type", "object"}, {"maxProperties", 32}, {"additionalProperties", {{"type", "string"}}}};
    case SettingType::kNames:
      return texts_schema(16, "^[A-Za-z0-9._-]{1,128}$");
    case SettingType::kPatterns:
      return texts_schema(64, "");
    case SettingType::kChoice: {
      ordered_json choices = ordered_json::array();
      for (const std::string_view choice : split(one.choices, ',')) choices.push_back(choice);
      return {{"enum", choices}};
    }
    case SettingType::kSize:
      return {{"anyOf",
               {{{"type", "integer"}, {"minimum", one.min}, {"maximum", one.max}},
                {{"type", "string"}, {"pattern", "^[0-9]+ ?(B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)?$"}}}}};
    case SettingType::kCount:
      return {{"type", "integer"}, {"minimum", one.min}, {"maximum", one.max}};
    case SettingType::kNumber:
      return {{"type", "number"},
              {"minimum", static_cast<double>(one.min) * kThousandth},
              {"maximum", static_cast<double>(one.max) * kThousandth}};
    case SettingType::kBoolean:
      break;
  }
  return {{"type", "boolean"}};
}

// The object of a nested field: "spool" of "spool/max"; empty for a top-level field.
std::string_view object_of(std::string_view name) {
  const size_t slash = name.find('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
}

std::string_view last_of(std::string_view name) { return name.substr(name.find('/') + 1); }

std::string options_of(const Selector& selector) {
  std::string options;
  for (const MetricOption& option : metric_options()) {
    if (option.selectors.empty() || !option.applies_to(selector.name)) continue;
    options += fmt::format("{}`{}`", options.empty() ? "" : ", ", option.setting.name);
  }
  return options;
}

}  // namespace

std::span<const Setting> settings() { return kSettings; }
std::span<const PluginField> plugin_fields() { return kPluginFields; }

const PluginField* plugin_field(std::string_view name) {
  const auto* const found = std::find_if(kPluginFields.begin(), kPluginFields.end(),
                                         [&](const auto& one) { return one.setting.name == name; });
  return found == kPluginFields.end() ? nullptr : found;
}

std::vector<std::string> plugin_field_names() {
  std::vector<std::string> names;
  names.reserve(kPluginFields.size());
  for (const PluginField& field : kPluginFields) names.emplace_back(field.setting.name);
  return names;
}

const Setting& setting(std::string_view name) {
  for (const Setting& one : kSettings) {
    if (one.name == name) return one;
  }
  assert(false && "the setting is not in the table");
  return kSettings[0];
}

std::vector<std::string> field_names() {
  std::vector<std::string> names;
  for (const Setting& one : kSettings) {
    const std::string_view object = object_of(one.name);
    const std::string name(object.empty() ? one.name : object);
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  return names;
}

std::vector<std::string> field_names_of(std::string_view object) {
  std::vector<std::string> names;
  for (const Setting& one : kSettings) {
    if (object_of(one.name) == object) names.emplace_back(last_of(one.name));
  }
  return names;
}

std::string default_document() {
  ordered_json document = ordered_json::object();
  // Fields whose default is empty, and which are rarely set, are not written.
  for (const std::string_view name : {"interval", "metrics", "plugins", "send_every"}) {
    document[std::string(name)] = ordered_json::parse(setting(name).default_value);
  }
  return document.dump(4) + "\n";
}

std::string json_schema(std::span<const std::string> plugins) {
  ordered_json properties = ordered_json::object();
  for (const Setting& one : kSettings) {
    const std::string object(object_of(one.name));
    if (object.empty()) {
      properties[std::string(one.name)] = setting_schema(one, plugins);
      continue;
    }
    ordered_json& parent = properties[object];
    parent["type"] = "object";
    parent["properties"][std::string(last_of(one.name))] = setting_schema(one, plugins);
    parent["additionalProperties"] = false;
  }
  const ordered_json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                               {"title", "Configuration of an agent"},
                               {"type", "object"},
                               {"properties", properties},
                               {"additionalProperties", false}};
  return schema.dump(2) + "\n";
}

std::string reference_markdown() {
  const auto row = [](const Setting& one, std::string_view what) {
    const std::string value = one.default_value.empty() ? "" : fmt::format("`{}`", one.default_value);
    return fmt::format("| `{}` | {} | {} | `{}` | {} |{}\n", one.name, value, one.bounds, one.example, one.since, what);
  };
  std::string out = "| setting | default | bounds | example | since |\n|---|---|---|---|---|\n";
  for (const Setting& one : kSettings) out += row(one, "");
  out += "\n`spool/max` means the field `max` of the object `spool`: `{\"spool\": {\"max\": \"256MiB\"}}`.\n\n";
  for (const Setting& one : kSettings) out += fmt::format("- **`{}`**: {}\n", one.name, one.description);
  out +=
      "\n### Metrics\n\nEvery entry can have its own `interval`.\n\n"
      "| selector | content | metric names | options |\n|---|---|---|---|\n";
  for (const Selector& selector : selectors()) {
    out += fmt::format("| `{}` | {} | {} | {} |\n", selector.name, selector.description,
                       fmt::join(selector.produces, ", "), options_of(selector));
  }
  out += "\n| option | default | bounds | example | since | effect |\n|---|---|---|---|---|---|\n";
  for (const MetricOption& option : metric_options()) {
    out += row(option.setting, fmt::format(" {} |", option.setting.description));
  }
  out +=
      "\n### Plugins\n\nAn entry is a name, or an object with these fields. [plugins.md](plugins.md) lists the "
      "plugins.\n\n"
      "| field | default | bounds | example | since | effect |\n|---|---|---|---|---|---|\n";
  for (const PluginField& field : kPluginFields)
    out += row(field.setting, fmt::format(" {} |", field.setting.description));
  return out;
}

}  // namespace monitor::config

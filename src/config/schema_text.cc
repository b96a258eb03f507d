// What is generated from the table of settings: bounds for people, the JSON Schema, the reference.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/text.h"
#include "config/schema.h"

namespace monitor::config {

namespace {

using nlohmann::ordered_json;

// A value in the largest unit that needs no decimals.
struct Unit {
  std::string_view name;
  int64_t value;
};

std::string with_unit(int64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.value == 0) return fmt::format("{} {}", value / unit.value, unit.name);
  }
  return std::to_string(value);
}

std::string duration_text(int64_t ns) {
  constexpr int64_t kMinute = 60 * kNanosPerSecond;
  constexpr std::array<Unit, 6> kUnits = {
      {{"h", 60 * kMinute}, {"min", kMinute}, {"s", kNanosPerSecond}, {"ms", kNanosPerMilli}, {"us", 1000}, {"ns", 1}}};
  return with_unit(ns, kUnits);
}

std::string size_text(int64_t bytes) {
  constexpr std::array<Unit, 5> kUnits = {{{"TiB", int64_t{1} << 40},
                                           {"GiB", int64_t{1} << 30},
                                           {"MiB", int64_t{1} << 20},
                                           {"KiB", int64_t{1} << 10},
                                           {"B", 1}}};
  return with_unit(bytes, kUnits);
}

// "a, b or c" of "a,b,c".
std::string choices_text(std::string_view choices) {
  std::string out;
  const std::vector<std::string_view> names = split(choices, ',');
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

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
  schema["description"] = fmt::format("{} Bounds: {}. Since {}.", one.description, bounds_text(one), one.since);
  if (!one.default_value.empty()) schema["default"] = ordered_json::parse(one.default_value);
  schema["examples"] = ordered_json::array({ordered_json::parse(one.example)});
  return schema;
}

ordered_json metrics_schema() {
  ordered_json entries = ordered_json::array();
  ordered_json names = ordered_json::array();
  for (const Selector& selector : selectors()) names.push_back(selector.name);
  names.push_back("default");
  entries.push_back({{"enum", names}});
  // Optional: the host, or this version of the agent, may lack it.
  entries.push_back({{"type", "string"}, {"pattern", "^[a-z ]{1,64}\\?$"}});
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
  for (const PluginField& field : plugin_fields()) {
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

std::string options_of(const Selector& selector) {
  std::string options;
  for (const MetricOption& option : metric_options()) {
    if (option.selectors.empty() || !option.applies_to(selector.name)) continue;
    options += fmt::format("{}`{}`", options.empty() ? "" : ", ", option.setting.name);
  }
  return options;
}

}  // namespace

std::string bounds_text(const Setting& one) {
  switch (one.type) {
    case SettingType::kDuration:
      return fmt::format("{} to {}", duration_text(one.min), duration_text(one.max));
    case SettingType::kSize:
      return fmt::format("{} to {}", size_text(one.min), size_text(one.max));
    case SettingType::kCount:
      return fmt::format("a whole number from {} to {}", one.min, one.max);
    case SettingType::kNumber:
      return fmt::format("{} to {}", static_cast<double>(one.min) * kThousandth,
                         static_cast<double>(one.max) * kThousandth);
    case SettingType::kChoice:
      return choices_text(one.choices);
    case SettingType::kBoolean:
      return "true or false";
    case SettingType::kText:
    case SettingType::kObject:
    case SettingType::kMetrics:
    case SettingType::kPlugins:
    case SettingType::kLabels:
    case SettingType::kNames:
    case SettingType::kPatterns:
      break;
  }
  return std::string(one.bounds);
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
  for (const Setting& one : settings()) {
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
    return fmt::format("| `{}` | {} | {} | `{}` | {} |{}\n", one.name, value, bounds_text(one), one.example, one.since,
                       what);
  };
  std::string out = "| setting | default | bounds | example | since |\n|---|---|---|---|---|\n";
  for (const Setting& one : settings()) out += row(one, "");
  out += "\n`spool/max` means the field `max` of the object `spool`: `{\"spool\": {\"max\": \"256MiB\"}}`.\n\n";
  for (const Setting& one : settings()) out += fmt::format("- **`{}`**: {}\n", one.name, one.description);
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
  for (const PluginField& field : plugin_fields())
    out += row(field.setting, fmt::format(" {} |", field.setting.description));
  return out;
}

}  // namespace monitor::config

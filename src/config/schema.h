// The table of settings. Parsing, validation, `monitor-config schema`, docs/configuration.md and shell completion are
// all made from it, so that there is one place where a setting is described.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::config {

enum class SettingType {
  kText,
  kObject,
  kDuration,
  kMetrics,
  kPlugins,
  kLabels,
  kNames,
  kChoice,
  kSize,
  kBoolean,
  kPatterns,
  kCount,  // a whole number
  kNumber
};

inline constexpr double kThousandth = 0.001;

// One thing that can be set: at the top level of a document, within an object there ("spool/max"), or in an entry of
// "metrics".
struct Setting {
  std::string_view name;
  SettingType type;
  std::string_view unit;           // what a bare number means
  std::string_view default_value;  // JSON; empty: none of its own, the description says what holds then
  std::string_view bounds;         // for people
  int64_t min = 0;                 // of a duration, ns; of a size, bytes; of a number, thousandths
  int64_t max = 0;
  std::string_view choices;  // of a choice, with commas between
  std::string_view example;  // JSON
  std::string_view since;    // the version that brought it
  std::string_view description;
};

// What an entry of "metrics" can ask for; from the catalog of metrics.
struct Selector {
  std::string_view name;
  std::vector<std::string_view> produces;  // names on the wire
  std::string_view since;
  std::string_view description;
};

// An option of an entry of "metrics".
struct MetricOption {
  Setting setting;
  std::vector<std::string_view> selectors;  // to which it applies; none: all

  bool applies_to(std::string_view selector) const;
};

// A field of an entry of "plugins" that is an object.
struct PluginField {
  Setting setting;
};

std::span<const Setting> settings();
std::span<const Selector> selectors();
std::span<const MetricOption> metric_options();
std::span<const PluginField> plugin_fields();
const PluginField* plugin_field(std::string_view name);  // nullptr: unknown
std::vector<std::string> plugin_field_names();
const Setting& setting(std::string_view name);
const MetricOption& metric_option(std::string_view name);
// Names at the top level of a document, each once: "interval", "spool".
std::vector<std::string> field_names();
// Below an object there: "max", "full" of "spool".
std::vector<std::string> field_names_of(std::string_view object);

// The document that holds every default, as `monitor-config` writes it anew: indented JSON.
std::string default_document();
// JSON Schema, draft 2020-12, of a document; `plugins` are the known plugins' names.
std::string json_schema(std::span<const std::string> plugins);
// The reference in Markdown, as in docs/configuration.md.
std::string reference_markdown();

}  // namespace monitor::config

// The table of settings. Parsing, validation, `monitor-config schema`, docs/configuration.md and shell completion are
// generated from it, so that each setting is described in one place.
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

// A setting: a top-level field of a document, a field of an object there ("spool/max"), or an option of an entry of
// "metrics".
struct Setting {
  std::string_view name;
  SettingType type;
  std::string_view unit;           // what a bare number means
  std::string_view default_value;  // JSON; empty: no fixed default, see the description
  std::string_view bounds;         // for people; empty: bounds_text() derives them from the fields below
  int64_t min = 0;                 // unit: ns for a duration, bytes for a size, thousandths for a number
  int64_t max = 0;
  std::string_view choices;  // of a choice, separated by commas
  std::string_view example;  // JSON
  std::string_view since;    // the version that introduced it
  std::string_view description;
};

// A selector of "metrics"; generated from the catalog of metrics.
struct Selector {
  std::string_view name;
  std::vector<std::string_view> produces;  // names on the wire
  std::string_view since;
  std::string_view description;
};

// An option of an entry of "metrics".
struct MetricOption {
  Setting setting;
  std::vector<std::string_view> selectors;  // selectors that have this option; empty: all

  bool applies_to(std::string_view selector) const;
};

// A field of an entry of "plugins", if the entry is an object.
struct PluginField {
  Setting setting;
};

std::span<const Setting> settings();
std::span<const Selector> selectors();
std::span<const MetricOption> metric_options();
std::span<const PluginField> plugin_fields();
const PluginField* plugin_field(std::string_view name);  // nullptr: unknown
std::vector<std::string> plugin_field_names();
// A flag of a selection whose source the host may lack ("sensors?" in the document): then it has no values, and nothing
// is wrong.
inline constexpr std::string_view kOptional = "?";

const Setting& setting(std::string_view name);
const MetricOption& metric_option(std::string_view name);
// The names of all top-level fields, each once: "interval", "spool".
std::vector<std::string> field_names();
// The names of the fields of an object: "max", "full" for "spool".
std::vector<std::string> field_names_of(std::string_view object);

// The bounds of a setting, for people: "10 ms to 24 h".
std::string bounds_text(const Setting& setting);
// A nested field: "spool" and "max" of "spool/max". The object of a top-level field is empty.
std::string_view object_of(std::string_view name);
std::string_view last_of(std::string_view name);

// The document with all common defaults, which `monitor-config` uses for a new document: indented JSON.
std::string default_document();
// The JSON Schema (draft 2020-12) of a document; `plugins` are the names of the known plugins.
std::string json_schema(std::span<const std::string> plugins);
// The reference in Markdown, as in docs/configuration.md.
std::string reference_markdown();

}  // namespace monitor::config

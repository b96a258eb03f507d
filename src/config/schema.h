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

enum class SettingType { kDuration, kMetrics, kPlugins, kLabels };

// A setting at the top level of a document.
struct Setting {
  std::string_view name;
  SettingType type;
  std::string_view unit;           // what a bare number means
  std::string_view default_value;  // JSON
  std::string_view bounds;         // for people
  int64_t min = 0;                 // of a duration, ns
  int64_t max = 0;
  std::string_view example;  // JSON
  std::string_view since;    // the version that brought it
  std::string_view description;
};

// A metric that can be asked for.
struct Selector {
  std::string_view name;
  std::string_view produces;  // names on the wire
  std::string_view description;
};

// An option of an entry of "metrics", a boolean, off by default.
struct MetricOption {
  std::string_view name;
  std::vector<std::string_view> selectors;  // to which it applies
  std::string_view description;
};

std::span<const Setting> settings();
std::span<const Selector> selectors();
std::span<const MetricOption> metric_options();
const Setting& setting(std::string_view name);

// The document that holds every default, as `monitor-config` writes it anew: indented JSON.
std::string default_document();
// JSON Schema, draft 2020-12, of a document; `plugins` are the known plugins' names.
std::string json_schema(std::span<const std::string> plugins);
// The reference in Markdown, as in docs/configuration.md.
std::string reference_markdown();

}  // namespace monitor::config

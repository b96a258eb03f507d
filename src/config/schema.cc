#include "config/schema.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "base/clock.h"

namespace monitor::config {

namespace {

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
     .description =
         "The metrics to read at every tick. An entry is a selector, or an object with the selector as "
         "\"name\" and its options. A selector with a question mark (\"sensors?\") is optional: a host without "
         "its source has no values of it, and that is no error. \"default\" stands for the default selectors "
         "that the list does not name itself."},
    {.name = "plugins",
     .type = SettingType::kPlugins,
     .default_value = "[]",
     .bounds = "at most 32",
     .example = R"([{"name": "deduplication", "config": {"tolerance": 0.01}}])",
     .since = "0.1.0",
     .description = "The plugins that every tick passes through, in this order. An entry is a name, or an object with "
                    "\"name\" and \"config\". \"agent.plugins.<module>.<Class>\" is a class of the plugin "
                    "folder's agent/plugins/<module>.py; without this file, it means <module>."},
    {.name = "send_every",
     .type = SettingType::kDuration,
     .unit = "s",
     .default_value = "1",
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
     .choices = kLevels,
     .example = R"("debug")",
     .since = "0.2.0",
     .description = "The agent's log level. Without it, --log-level applies."},
    {.name = "spool/max",
     .type = SettingType::kSize,
     .unit = "B",
     .min = kMiB,
     .max = kMiB << 20,
     .example = R"("256MiB")",
     .since = "0.2.0",
     .description = "Maximum size of the agent's spool. Without it, --spool-max applies. A spool in memory holds at "
                    "most 64 MiB."},
    {.name = "spool/full",
     .type = SettingType::kChoice,
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
      .choices = "skip,drop",
      .example = R"("drop")",
      .since = "0.2.0",
      .description =
          "What happens to ticks while a plugin outside the agent is not running: they skip the plugin, or are "
          "dropped as failed"}},
    {{.name = "shadow",
      .type = SettingType::kBoolean,
      .default_value = "false",
      .example = "true",
      .since = "0.2.0",
      .description = "The plugin runs without effect: the agent only counts what it would change and drop"}},
    {{.name = "deadline",
      .type = SettingType::kDuration,
      .unit = "s",
      .min = kNanosPerMilli,
      .max = 10 * kNanosPerSecond,
      .example = R"("100ms")",
      .since = "0.2.0",
      .description = "How long a plugin outside the agent may take for a tick. After that, its host process is killed "
                     "and the tick "
                     "is lost. The default is 1 s for a native plugin and for one in Python, and 10 s plus a budget of "
                     "processor time for a script. All "
                     "scripts share one host process, and lose their state with it"}},
    {{.name = "threads",
      .type = SettingType::kCount,
      .default_value = "16",
      .min = 0,
      .max = 1000,
      .example = "4",
      .since = "0.2.0",
      .description = "How many threads a native plugin, or one in Python, may start. With 0, the kernel refuses the "
                     "first thread. With a "
                     "higher limit, a plugin that exceeds it is stopped and quarantined. Scripts have no threads"}},
    {{.name = "cpu",
      .type = SettingType::kNumber,
      .unit = "processors",
      .default_value = "0.5",
      .min = 10,
      .max = 1'000'000,
      .example = "1.5",
      .since = "0.2.0",
      .description =
          "How many processors all threads of a native plugin, or one in Python, may use, averaged over 10 s. One that "
          "uses more is stopped and quarantined. A script has a budget for each tick instead"}},
}};

}  // namespace

std::string_view object_of(std::string_view name) {
  const size_t slash = name.find('/');
  return slash == std::string_view::npos ? std::string_view() : name.substr(0, slash);
}

std::string_view last_of(std::string_view name) { return name.substr(name.find('/') + 1); }

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

}  // namespace monitor::config

// Settings: a validated configuration document with all defaults filled in.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "metrics/catalog/spec.h"
#include "metrics/series.h"

namespace monitor::config {

// An entry of "metrics".
struct MetricSelection {
  std::string name;                               // a selector: "cpu", "disk read", ...
  int64_t interval_ns = 0;                        // 0: Settings::interval_ns
  std::set<std::string, std::less<>> flags = {};  // options that are true: "per_core", "counters", ...
  std::vector<std::string> include = {};  // patterns of devices, interfaces, mount points; empty: the default ones
  std::vector<std::string> exclude = {};
  std::map<std::string, int64_t, std::less<>> counts = {};  // options that are numbers: "top"
  // Options that are other lists of patterns: "groups".
  std::map<std::string, std::vector<std::string>, std::less<>> patterns = {};

  bool has(std::string_view flag) const { return flags.contains(flag); }
  // The patterns of an option that is neither `include` nor `exclude`.
  std::vector<std::string> patterns_of(std::string_view option) const {
    const auto found = patterns.find(option);
    return found == patterns.end() ? std::vector<std::string>() : found->second;
  }
  // The value of an option of type kCount.
  int64_t count(const metrics::OptionSpec& option) const {
    const auto found = counts.find(option.name);
    return found == counts.end() ? option.count.usual : found->second;
  }
  bool operator==(const MetricSelection&) const = default;
};

// Where a plugin runs: in the agent, or in a plugin host.
enum class PluginKind { kBuiltin, kNative, kScript, kPython };

// The name of a kind in statuses and tables.
constexpr std::string_view kind_name(PluginKind kind) {
  switch (kind) {
    case PluginKind::kBuiltin:
      return "built-in";
    case PluginKind::kNative:
      return "native";
    case PluginKind::kScript:
      return "script";
    case PluginKind::kPython:
      return "python";
  }
  return "";
}

// An entry of "plugins".
struct PluginEntry {
  std::string name;           // short name: "deduplication"
  std::string config = "{}";  // JSON object as text with sorted keys, so that equal settings are equal texts
  bool drop_on_failure =
      false;                // what happens to ticks while it is not running: true drops them, false lets them skip it
  bool shadow = false;      // runs, but its changes are discarded
  int64_t deadline_ns = 0;  // time limit per tick in a plugin host; 0: the default of its kind
  uint32_t threads = 16;    // threads that a native plugin may start
  double cpu = 0.5;         // processors that a native plugin may use, averaged over some seconds

  // Resolved from the name on this agent; not part of the document.
  PluginKind kind = PluginKind::kBuiltin;
  std::string code = {};     // file of a native plugin, source of a script
  std::string version = {};  // version of the code; another version counts as another plugin

  bool operator==(const PluginEntry&) const = default;
};

struct Settings {
  int64_t interval_ns = 5 * kNanosPerSecond;
  std::vector<MetricSelection> metrics;
  std::vector<PluginEntry> plugins;
  int64_t send_every_ns = kNanosPerSecond;
  metrics::Labels labels;
  std::vector<std::string> groups;  // from the agent's own document
  // Unset fields take the value from the command line.
  std::optional<LogLevel> log_level;
  std::optional<uint64_t> spool_max_bytes;
  std::optional<bool> spool_drops_newest;

  int64_t interval_of(const MetricSelection& metric) const {
    return metric.interval_ns != 0 ? metric.interval_ns : interval_ns;
  }
  bool operator==(const Settings&) const = default;
};

}  // namespace monitor::config

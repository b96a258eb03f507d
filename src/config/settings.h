// Settings: a validated configuration document with all defaults filled in.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "metrics/series.h"

namespace monitor::config {

// An entry of "metrics".
struct MetricSelection {
  std::string name;                               // a selector: "cpu", "disk read", ...
  int64_t interval_ns = 0;                        // 0: Settings::interval_ns
  std::set<std::string, std::less<>> flags = {};  // options that are true: "per_core", "counters", ...
  std::vector<std::string> include = {};  // patterns of devices, interfaces, mount points; empty: the default ones
  std::vector<std::string> exclude = {};

  bool has(std::string_view flag) const { return flags.contains(flag); }
  bool operator==(const MetricSelection&) const = default;
};

// Where a plugin runs: in the agent, or in a plugin host.
enum class PluginKind { kBuiltin, kNative, kScript };

// "built-in", "native", "script": in statuses and tables.
constexpr std::string_view kind_name(PluginKind kind) {
  switch (kind) {
    case PluginKind::kBuiltin:
      return "built-in";
    case PluginKind::kNative:
      return "native";
    case PluginKind::kScript:
      return "script";
  }
  return "";
}

// An entry of "plugins".
struct PluginEntry {
  std::string name;              // short name: "deduplication"
  std::string config = "{}";     // JSON text of an object, with sorted keys: equal texts are equal settings
  bool drop_on_failure = false;  // while it does not run, ticks are dropped; false: they skip it
  bool shadow = false;           // it runs, but its changes are discarded
  int64_t deadline_ns = 0;       // time limit for a tick in a plugin host; 0: the default of its kind
  uint32_t threads = 16;         // threads that a native plugin may start
  double cpu = 0.5;              // processors that a native plugin may use, averaged over some seconds

  // Resolved on this agent from the name; not part of the document.
  PluginKind kind = PluginKind::kBuiltin;
  std::string code = {};     // file of a native plugin, source of a script
  std::string version = {};  // of the code; a different version is a different plugin

  bool operator==(const PluginEntry&) const = default;
};

struct Settings {
  int64_t interval_ns = 5 * kNanosPerSecond;
  std::vector<MetricSelection> metrics;
  std::vector<PluginEntry> plugins;
  int64_t send_every_ns = kNanosPerSecond;
  metrics::Labels labels;
  std::vector<std::string> groups;  // from the agent's own document
  // Unset fields take the value of the command line.
  std::optional<LogLevel> log_level;
  std::optional<uint64_t> spool_max_bytes;
  std::optional<bool> spool_drops_newest;

  int64_t interval_of(const MetricSelection& metric) const {
    return metric.interval_ns != 0 ? metric.interval_ns : interval_ns;
  }
  bool operator==(const Settings&) const = default;
};

}  // namespace monitor::config

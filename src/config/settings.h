// What a configuration document says, checked and with all defaults: the agent's marching orders.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "metrics/series.h"

namespace monitor::config {

// One entry of "metrics".
struct MetricSelection {
  std::string name;  // a selector: "cpu", "disk read", ...
  bool per_core = false;
  bool modes = false;
  bool per_device = false;
  bool per_interface = false;
  bool per_filesystem = false;
  bool counters = false;

  bool operator==(const MetricSelection&) const = default;
};

// One entry of "plugins".
struct PluginEntry {
  std::string name;           // the short one: "deduplication"
  std::string config = "{}";  // JSON text of an object, with sorted keys: equal texts are equal settings

  bool operator==(const PluginEntry&) const = default;
};

struct Settings {
  int64_t interval_ns = 5 * kNanosPerSecond;
  std::vector<MetricSelection> metrics;
  std::vector<PluginEntry> plugins;
  int64_t send_every_ns = kNanosPerSecond;
  metrics::Labels labels;

  bool operator==(const Settings&) const = default;
};

}  // namespace monitor::config

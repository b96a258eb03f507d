// What agents reported about their plugins, over time: PromQL's functions plugin_tick_seconds(),
// plugin_dropped_points() and others read it. It is in two tables of the file of the agents' states (agent_facts.h),
// written once a minute, and in between for plugins that failed.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/matcher.h"
#include "query/series.h"
#include "views/history/database.h"

namespace monitor::analysis::history {

inline constexpr std::array<std::string_view, 4> kPluginFunctions = {"plugin_dropped_points", "plugin_dropped_ticks",
                                                                     "plugin_failures", "plugin_tick_seconds"};

// SQL that creates the tables unless they exist.
extern const char* const kPluginTables;

// The counts begin anew when the agent starts.
struct PluginFacts {
  std::string agent;
  std::string host;
  std::string plugin;  // "scale#2" for the second one of this name in a chain
  uint64_t p50_us = 0;
  uint64_t p99_us = 0;
  uint64_t dropped_ticks = 0;
  uint64_t dropped_points = 0;
  uint64_t failures = 0;
};

// Not thread-safe.
class PluginFactsWriter {
 public:
  // Times must ascend. Deletes rows that are older than `keep_ns`.
  Status add(Database& db, int64_t time_ns, std::span<const PluginFacts> facts, int64_t keep_ns);

 private:
  struct Known {
    int64_t number = 0;
    uint64_t failures = 0;
  };
  using Name = std::array<std::string, 3>;  // agent, host, plugin

  std::map<Name, Known> plugins_;
  int64_t all_ns_ = 0;  // of the newest row with every plugin
};

// The series of one of kPluginFunctions, from agents that fulfil the conditions, with the labels agent, host and
// plugin, and that of plugin_tick_seconds() also quantile. A file without the tables has none. Errors: those of the
// disk.
Result<std::vector<query::StoredSeries>> plugin_series(Database& db, std::string_view function,
                                                       std::span<const query::Matcher> matchers, int64_t from_ms,
                                                       int64_t to_ms);

}  // namespace monitor::analysis::history

#include "plugins/chain/plugin_report.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "base/time_format.h"
#include "metrics/human.h"

namespace monitor::agent {

std::string_view kind_name(config::PluginKind kind) {
  switch (kind) {
    case config::PluginKind::kBuiltin:
      return "built-in";
    case config::PluginKind::kNative:
      return "native";
    case config::PluginKind::kScript:
      return "script";
  }
  return "";
}

namespace {

constexpr double kThousand = 1000;  // more digits say nothing

}  // namespace

config::PluginStatus status_of(const PluginState& state) {
  config::PluginStatus status;
  status.name = state.name;
  status.kind = kind_name(state.kind);
  status.state = state.state;
  status.error = state.error;
  status.shadow = state.shadow;
  status.ticks = state.ticks_in;
  status.changed = state.ticks_changed;
  status.dropped = state.ticks_dropped;
  status.failed = state.failures;
  status.skipped = state.skipped;
  status.restarts = state.restarts;
  status.replaced = state.replaced;
  status.p50 = static_cast<double>(state.p50_ns) / 1e9;
  status.p99 = static_cast<double>(state.p99_ns) / 1e9;
  status.threads = state.threads;
  status.cpu = std::round(state.cpu * kThousand) / kThousand;
  status.memory = state.memory;
  return status;
}

std::string trace_text(const metrics::SeriesTable& table, const PluginState& plugin, const metrics::Tick& before,
                       const metrics::Tick* after, std::string_view failure) {
  const auto shown = [&](const metrics::Point& point) {
    const metrics::Series& series = table.at(point.series);
    return metrics::human_value(series, table.value(point));
  };
  const std::string who =
      fmt::format("{} ({}{})", plugin.name, kind_name(plugin.kind), plugin.shadow ? ", shadow" : "");
  if (plugin.state == kNotReached) return fmt::format("{}: not reached: {}\n", who, failure);
  if (plugin.state != "running") {
    return fmt::format("{}: does not run ({}): {}; {}\n", who, plugin.state, failure,
                       after == nullptr ? "it drops the tick" : "the tick goes on without it");
  }
  const std::string head = fmt::format("{}, {}: ", who, format_duration(plugin.last_duration_ns / 1000 * 1000));
  if (!failure.empty()) return head + fmt::format("failed: {}\n", failure);
  if (after == nullptr) return head + fmt::format("dropped the tick of {} points\n", before.points.size());
  std::multimap<metrics::SeriesId, const metrics::Point*> old;
  for (const metrics::Point& point : before.points) old.emplace(point.series, &point);
  std::string lines;
  size_t same = 0;
  for (const metrics::Point& point : after->points) {
    const std::string name = metrics::to_string(table.at(point.series));
    const auto found = old.find(point.series);
    if (found == old.end()) {
      lines += fmt::format("  + {}  {}\n", name, shown(point));
      continue;
    }
    if (found->second->integer == point.integer) {
      ++same;
    } else {
      lines += fmt::format("  ~ {}  {} -> {}\n", name, shown(*found->second), shown(point));
    }
    old.erase(found);
  }
  for (const auto& [id, point] : old) {
    lines += fmt::format("  - {}  {}\n", metrics::to_string(table.at(id)), shown(*point));
  }
  return head +
         fmt::format("{} points in, {} out, {} as they were\n", before.points.size(), after->points.size(), same) +
         lines;
}

}  // namespace monitor::agent

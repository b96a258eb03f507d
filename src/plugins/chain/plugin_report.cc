#include "plugins/chain/plugin_report.h"

#include <fmt/format.h>

#include <map>

#include "base/counted.h"
#include "base/time_format.h"
#include "metrics/human.h"

namespace monitor::agent {

std::string trace_text(const metrics::SeriesTable& table, const config::PluginStatus& plugin,
                       const metrics::Tick& before, const metrics::Tick* after, std::string_view failure) {
  const auto shown = [&](const metrics::Point& point) {
    const metrics::Series& series = table.at(point.series);
    return metrics::human_value(series, table.value(point));
  };
  const std::string who = fmt::format("{} ({}{})", plugin.name, plugin.kind, plugin.shadow ? ", shadow" : "");
  if (plugin.state == kNotReached) return fmt::format("{}: not reached: {}\n", who, failure);
  if (plugin.state != kRunning) {
    return fmt::format("{}: not running ({}): {}; {}\n", who, plugin.state, failure,
                       after == nullptr ? "the tick is dropped" : "the tick skips the plugin");
  }
  const std::string head = fmt::format("{}, {}: ", who, format_duration(plugin.last_duration_ns / 1000 * 1000));
  if (!failure.empty()) return head + fmt::format("failed: {}\n", failure);
  if (after == nullptr) return head + fmt::format("dropped the tick of {}\n", counted(before.points.size(), "point"));
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
         fmt::format("{} in, {} out, {} unchanged\n", counted(before.points.size(), "point"), after->points.size(),
                     same) +
         lines;
}

}  // namespace monitor::agent

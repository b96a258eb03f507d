#include "bin/config/fleet_commands.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>

#include "base/counted.h"
#include "base/escape.h"
#include "base/text.h"
#include "base/time_format.h"
#include "config/fleet_catalog.h"
#include "config/validate.h"

namespace monitor {

namespace {

using config::AgentState;
using config::FleetRow;
using nlohmann::ordered_json;

constexpr int64_t kLookEvery = 200 * kNanosPerMilli;
constexpr int64_t kShowEvery = kNanosPerSecond;
constexpr size_t kWhyWidth = 60;  // width of the reason column on a terminal
// A failure that lasts this long is final. An older agent does not report what it has refused, so until then its error
// may still be about the previous document.
constexpr int64_t kHopelessAfter = 2 * kNanosPerSecond;

bool in_group(const FleetRow& row, const std::string& group) {
  const auto& groups = row.status.groups;
  return group.empty() || std::find(groups.begin(), groups.end(), group) != groups.end();
}

// The agents that the command refers to.
Result<std::vector<FleetRow>> rows_of(const ConfigContext& context) {
  const auto keys = context.all();
  if (!keys) return keys.error();
  if (!context.agent_id.empty()) {
    std::vector<FleetRow> one;
    if (auto row = row_of(*keys, context.agent_id, context.wall_ns(), context.fresh_ns()))
      one.push_back(std::move(*row));
    return one;
  }
  auto rows = fleet_of(*keys, context.wall_ns(), context.fresh_ns());
  std::erase_if(rows, [&](const FleetRow& row) { return !in_group(row, context.group); });
  return rows;
}

std::string ago(int64_t then_ns, int64_t now_ns) {
  if (then_ns == 0) return "-";
  return format_duration(std::max<int64_t>(0, now_ns - then_ns) / kNanosPerSecond * kNanosPerSecond) + " ago";
}

std::string why(const FleetRow& row) {
  if (row.state == AgentState::kFailed) return row.status.error;
  if (!row.status.warning.empty()) return "warning: " + row.status.warning;
  if (row.state == AgentState::kPending) return "the stored documents are not applied yet";
  if (!row.status.mounts.empty()) {
    const auto& first = row.status.mounts.front();
    const size_t more = row.status.mounts.size() - 1;
    return fmt::format("mount {} ({}) hangs since {}{}", first.mount, first.type, format_rfc3339(first.since_ns, 0),
                       more == 0 ? "" : fmt::format(", and {} more", more));
  }
  if (row.status.series_full) return "the series table is full; choose fewer metrics or details";
  if (row.status.deleted) return "the document was deleted; the last good one stays applied";
  if (!row.status.overrides.empty()) return "overrides: " + join(row.status.overrides, ", ");
  return "";
}

// Plugins with host processes, and their resource use.
std::string plugin_table(const std::vector<config::PluginStatus>& plugins) {
  std::string out;
  for (const config::PluginStatus& one : plugins) {
    if (one.kind == "built-in") continue;
    if (out.empty()) {
      out = fmt::format("\n{:<20}  {:<6}  {:<11}  {:>7}  {:>5}  {:>10}  ERROR\n", "PLUGIN", "KIND", "STATE", "THREADS",
                        "CPU", "MEMORY");
    }
    const bool own = one.kind != "script" && one.memory > 0;
    out += fmt::format(
        "{:<20}  {:<6}  {:<11}  {:>7}  {:>5}  {:>10}  {}\n", printable(one.name), printable(one.kind),
        printable(one.state), own ? std::to_string(one.threads) : "-", own ? fmt::format("{:.2f}", one.cpu) : "-",
        own ? fmt::format("{:.1f} MiB", static_cast<double>(one.memory) / (1 << 20)) : "-", printable(one.error));
  }
  return out;
}

// `whole`: does not shorten the reasons; for output to programs.
std::string table(const std::vector<FleetRow>& rows, int64_t now_ns, bool whole) {
  size_t id = 5;
  size_t host = 4;
  for (const FleetRow& row : rows) {
    id = std::max(id, printable(row.agent_id).size());
    host = std::max(host, printable(row.status.host).size());
  }
  std::string out = fmt::format("{:<{}}  {:<7}  {:>8}  {:>8}  {:<{}}  {:<8}  {:<12}  WHY\n", "AGENT", id, "STATE",
                                "APPLIED", "WANTED", "HOST", host, "VERSION", "SEEN");
  for (const FleetRow& row : rows) {
    std::string reason = why(row);
    const bool cut = !whole && rows.size() > 1 && reason.size() > kWhyWidth;
    reason = cut ? printable(reason.substr(0, kWhyWidth)) + "..." : printable(reason);
    out += fmt::format("{:<{}}  {:<7}  {:>8}  {:>8}  {:<{}}  {:<8}  {:<12}  {}\n", printable(row.agent_id), id,
                       to_string(row.state), row.applied, row.wanted, printable(row.status.host), host,
                       printable(row.status.version), ago(row.seen_ns, now_ns), reason);
  }
  std::array<size_t, 5> counts{};
  for (const FleetRow& row : rows) ++counts.at(static_cast<size_t>(row.state));
  out += fmt::format("{}: {} applied, {} pending, {} failed, {} stopped, {} gone\n", counted(rows.size(), "agent"),
                     counts[0], counts[1], counts[2], counts[3], counts[4]);
  return rows.size() == 1 ? out + plugin_table(rows.front().status.plugins) : out;
}

std::string json_lines(const std::vector<FleetRow>& rows) {
  std::string out;
  for (const FleetRow& row : rows) {
    ordered_json object = {{"agent", row.agent_id}, {"state", to_string(row.state)}};
    const auto status = ordered_json::parse(config::to_json(row.status), nullptr, false);
    object["applied"] = row.applied;
    object["wanted"] = row.wanted;
    object["behind"] = row.behind();
    object["last_seen"] = row.seen_ns == 0 ? ordered_json() : ordered_json(format_rfc3339(row.seen_ns, 3));
    for (const char* const field : {"error", "desired", "last_failed", "host", "version", "groups", "since", "deleted",
                                    "hash", "overrides", "plugins", "mounts", "series_full", "warning"}) {
      object[field] = status.contains(field) ? status.at(field) : ordered_json();
    }
    out += json_line(object) + "\n";
  }
  return out;
}

bool applied(const FleetRow& row, const WaitFlags& flags) {
  // After a deletion no document has that revision, so the revision up to which the agent has read counts.
  return row.state == AgentState::kApplied && std::max(row.applied, row.status.applied) >= flags.revision.value_or(0);
}

// Agents that have not applied the documents; empty if all have. Waits for an agent that is gone only if it is named.
std::vector<std::string> lagging(const ConfigContext& context, const std::vector<FleetRow>& rows,
                                 const WaitFlags& flags, bool& hopeless) {
  std::vector<std::string> names;
  size_t alive = 0;
  for (const FleetRow& row : rows) {
    const bool gone = !config::lives(row.state);
    alive += gone ? 0 : 1;
    if (applied(row, flags) || (gone && context.agent_id.empty())) continue;
    names.push_back(fmt::format("{} is {}{}", printable(row.agent_id), to_string(row.state),
                                row.state == AgentState::kFailed ? ": " + printable(row.status.error) : ""));
    hopeless = hopeless || row.state == AgentState::kFailed;
  }
  if (names.empty() && alive == 0) {
    names.push_back(context.agent_id.empty() ? "the group has no agents" : context.agent_id + " was never seen");
  }
  return names;
}

}  // namespace

int run_status(const ConfigContext& context, const StatusFlags& flags) {
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  std::string last;
  while (true) {
    const auto rows = rows_of(context);
    if (!rows) return config_failure(rows.error());
    if (rows->empty() && !context.agent_id.empty() && !flags.watch) {
      std::cerr << fmt::format("monitor-config: {} was never seen\n", context.agent_id);
      return kExitNegative;
    }
    const bool json = flags.format == "json";
    const std::string text = json ? json_lines(*rows) : table(*rows, context.wall_ns(), !terminal);
    const bool redraw = flags.watch && terminal && !json;
    if (redraw || text != last) std::cout << (redraw ? "\x1b[H\x1b[2J" : "") << text << std::flush;
    if (!std::cout.good()) return kExitOk;  // guard() reports the reason and the status
    last = text;
    if (!flags.watch) return kExitOk;
    wait_on(context.loop, kShowEvery);
  }
}

int run_wait(const ConfigContext& context, const WaitFlags& flags) {
  const int64_t end = context.loop.clock().mono_ns() + flags.timeout_ns;
  int64_t well_ns = context.loop.clock().mono_ns();  // monotonic time of the last look without a failure
  while (true) {
    const auto rows = rows_of(context);
    if (!rows) return config_failure(rows.error());
    bool hopeless = false;
    const auto names = lagging(context, *rows, flags, hopeless);
    if (names.empty()) {
      std::cout << fmt::format(
          "applied by {}\n", context.agent_id.empty() ? "all of " + counted(rows->size(), "agent") : context.agent_id);
      return kExitOk;
    }
    if (!hopeless) well_ns = context.loop.clock().mono_ns();
    hopeless = context.loop.clock().mono_ns() - well_ns > kHopelessAfter;
    if (hopeless || context.loop.clock().mono_ns() >= end) {
      std::cerr << fmt::format("monitor-config: not applied{}: {}\n",
                               hopeless ? "" : " within " + format_duration(flags.timeout_ns), join(names, "; "));
      return kExitTempFail;
    }
    wait_on(context.loop, kLookEvery);
  }
}

namespace {

std::vector<config::NeededVersion> needed_for(const std::vector<config::FieldChange>& changes) {
  nlohmann::json document = nlohmann::json::object();
  for (const config::FieldChange& change : changes) {
    if (change.kind != config::FieldChange::Kind::kRemove) document[change.name] = nlohmann::json::parse(change.json);
  }
  return config::needed_versions(document);
}

}  // namespace

Status check_versions(const ConfigContext& context, const std::vector<config::FieldChange>& changes) {
  if (needed_for(changes).empty()) return {};
  const auto rows = rows_of(context);
  return rows ? check_versions(*rows, changes) : rows.error();
}

Status check_versions(const std::vector<FleetRow>& rows, const std::vector<config::FieldChange>& changes) {
  const auto needed = needed_for(changes);
  for (const FleetRow& row : rows) {
    if (!config::lives(row.state)) continue;
    for (const config::NeededVersion& need : needed) {
      if (!config::is_older(row.status.version, need.since)) continue;
      return Error(
          Code::kInvalidArgument,
          fmt::format("agent {} has version {} and does not know {} (since {}); --force writes it anyway", row.agent_id,
                      row.status.version.empty() ? "unknown" : row.status.version, need.field, need.since));
    }
  }
  return {};
}

int run_explain(const ConfigContext& context, const std::string& format, const config::PluginCatalog& plugins) {
  const auto keys = context.all();
  if (!keys) return config_failure(keys.error());
  const auto made = config::layers_of(*keys, context.agent_id, context.wall_ns(),
                                      [&](const std::string& key) { return context.store.describe(key); });
  std::vector<config::Problem> problems = made.problems;
  if (problems.empty()) {
    const config::FleetCatalog catalog(plugins, *keys, context.wall_ns(), context.fresh_ns());
    problems = config::validate(made.set.layers, catalog).problems;
  }
  const bool valid = problems.empty() || problems.front().warning;
  const auto values = made.problems.empty() ? config::explain(made.set.layers) : std::vector<config::Explained>();
  if (format == "json") {
    ordered_json list = ordered_json::array();
    for (const auto& one : values) {
      list.push_back({{"path", one.path},
                      {"value", ordered_json::parse(one.value)},
                      {"key", one.key.empty() ? ordered_json() : ordered_json(one.key)},
                      {"revision", one.revision}});
    }
    const ordered_json object = {{"agent", context.agent_id},
                                 {"hash", config::document_hash(made.set.layers)},
                                 {"valid", valid},
                                 {"error", valid ? "" : problems.front().to_string()},
                                 {"values", list}};
    std::cout << json_line(object) << "\n";
  } else {
    size_t width = 0;
    for (const auto& one : values) width = std::max(width, printable(one.path).size());
    for (const auto& one : values) {
      const std::string origin = one.key.empty()     ? "built-in default"
                                 : one.revision == 0 ? one.key
                                                     : fmt::format("{} revision {}", one.key, one.revision);
      std::cout << fmt::format("{:<{}}  {}  ({})\n", printable(one.path), width, printable(one.value),
                               printable(origin));
    }
  }
  for (const auto& problem : problems) {
    std::cerr << fmt::format("{}{}\n", problem.warning ? "warning: " : "", printable(problem.to_string()));
  }
  return valid ? kExitOk : kExitConfig;
}

}  // namespace monitor

#include "ui/web/config_view.h"

#include <fmt/format.h>

#include "config/keys.h"

namespace monitor::analysis::web {

namespace {

// How long the first batch of a new agent may take to reach the log.
constexpr int64_t kReachesLogWithin = 15 * kNanosPerSecond;
constexpr size_t kMostTroubles = 20;

Presence presence_of(config::AgentState state) {
  if (config::lives(state)) return Presence::kAlive;
  return state == config::AgentState::kStopped ? Presence::kStopped : Presence::kGone;
}

}  // namespace

const AgentReport* ConfigView::find(std::string_view agent) const {
  const auto found = agents.find(agent);
  return found == agents.end() ? nullptr : &found->second;
}

ConfigView read_config(ConfigService& service, int64_t wall_ns) {
  ConfigView view;
  const auto keys = service.keys();
  if (!keys) {
    view.trouble = keys.error().message();
    return view;
  }
  const auto rows = config::fleet_of(*keys, wall_ns, service.fresh_ns());
  for (const config::FleetRow& row : rows) {
    AgentReport& report = view.agents[row.agent_id];
    const Presence presence = presence_of(row.state);
    report = {presence,
              config::problems_of(row),
              row.status.host,
              row.status.version,
              row.status.since_ns,
              row.status.certificate_from_ns,
              row.status.certificate_expires_ns,
              row.status.cpu_seconds,
              presence == Presence::kAlive ? row.status.plugins : std::vector<config::PluginStatus>()};
  }
  view.forgotten = config::forgotten_of(*keys, wall_ns, service.fresh_ns());
  view.changed = service.note_read(*keys, rows);
  return view;
}

void show_in_fleet(const ConfigView& view, int64_t wall_ns, Fleet& fleet) {
  if (!view.trouble.empty()) return;
  for (const auto& [name, report] : view.agents) {
    if (report.presence != Presence::kAlive) {
      fleet.drop(name, 0);
    } else if (elapsed_ns(report.since_ns, wall_ns) > kReachesLogWithin) {
      fleet.add_known(name, report.host, report.version, 0);
    }
  }
  for (const auto& [name, until_ns] : view.forgotten) fleet.drop(name, until_ns);
  std::vector<std::string> unknown;
  for (const auto& [name, agent] : fleet.agents()) {
    if (agent.seen_ns == 0 && view.find(name) == nullptr) unknown.push_back(name);
  }
  for (const std::string& name : unknown) fleet.drop(name, 0);
}

std::vector<std::string> agent_troubles(const ConfigView& view, const Fleet& fleet) {
  std::vector<std::string> found;
  size_t more = 0;
  const auto add = [&](const std::string& name, const std::string& what) {
    if (found.size() < kMostTroubles) {
      found.push_back(fmt::format("agent {}: {}", name, what));
    } else {
      ++more;
    }
  };
  for (const auto& [name, report] : view.agents) {
    for (const std::string& problem : report.problems) add(name, problem);
    const LiveAgent* const agent = fleet.find(name);
    if (report.presence == Presence::kAlive && agent != nullptr && agent->seen_ns == 0) {
      add(name, "it is alive, but none of its data has ever reached the log");
    }
  }
  if (more > 0) found.push_back(fmt::format("agents: {} more problems", more));
  return found;
}

}  // namespace monitor::analysis::web

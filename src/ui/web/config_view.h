// ConfigView: what one read of the configuration store shows about the agents: which are alive, which have problems,
// and which were forgotten.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/status.h"
#include "ui/web/config_service.h"
#include "views/fleet/fleet.h"

namespace monitor::analysis::web {

// What an agent reports about itself.
struct AgentReport {
  Presence presence = Presence::kUnknown;
  std::vector<std::string> problems;  // of an agent that is alive: config::problems_of()
  std::string host;
  std::string version;
  int64_t since_ns = 0;             // start of its process, by its own clock
  int64_t certificate_from_ns = 0;  // 0: it has none
  int64_t certificate_expires_ns = 0;
  double cpu_seconds = 0;                          // of its process since it started; 0: unknown
  std::vector<config::PluginStatus> plugins = {};  // of an agent that is alive
};

struct ConfigView {
  std::map<std::string, AgentReport, std::less<>> agents;
  std::map<std::string, int64_t, std::less<>> forgotten;  // and when (Unix nanoseconds)
  std::string trouble;   // why the configuration cannot be read; if set, the rest is empty
  bool changed = false;  // the page shows something else now: ConfigService::note_read()

  const AgentReport* find(std::string_view agent) const;
};

// Blocks; call on the executor's thread.
ConfigView read_config(ConfigService& service, int64_t wall_ns);

// Adds agents that are alive but never reached the log. Removes them when they are gone, and removes forgotten agents.
void show_in_fleet(const ConfigView& view, int64_t wall_ns, Fleet& fleet);

// The problems of agents that are alive, one line each; only the first few.
std::vector<std::string> agent_troubles(const ConfigView& view, const Fleet& fleet);

}  // namespace monitor::analysis::web

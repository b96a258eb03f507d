// ConfigView: what the configuration says of the agents, as of one look: who lives, what is wrong with whom, and who
// was forgotten.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ui/web/config_service.h"
#include "views/fleet/fleet.h"

namespace monitor::analysis::web {

// An agent's report of itself.
struct AgentReport {
  Presence presence = Presence::kUnknown;
  std::vector<std::string> problems;  // of one that lives: config::problems_of()
  std::string host;
  std::string version;
  int64_t since_ns = 0;  // start of its process, by its own clock
};

struct ConfigView {
  std::map<std::string, AgentReport, std::less<>> agents;
  std::map<std::string, int64_t, std::less<>> forgotten;  // and when
  std::string trouble;  // why the configuration cannot be read; then the rest is empty
  uint32_t mark = 0;    // differs where the configuration's page would

  const AgentReport* find(std::string_view agent) const;
};

// Blocks: for the executor's thread.
ConfigView read_config(ConfigService& service, int64_t wall_ns);

// Adds the agents that live and never reached the log; drops them when they are gone, and those that were forgotten.
void show_in_fleet(const ConfigView& view, int64_t wall_ns, Fleet& fleet);

// What is wrong with agents that live, a line a problem; cut to the first few.
std::vector<std::string> agent_troubles(const ConfigView& view, const Fleet& fleet);

}  // namespace monitor::analysis::web

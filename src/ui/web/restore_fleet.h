// When the page starts, restores the fleet from the history: the agents, and the recent figures of those seen lately.
#pragma once

#include <string>
#include <vector>

#include "views/fleet/fleet.h"
#include "views/history/store.h"

namespace monitor::analysis::web {

// `known` are the agents in the history at `path`. The page waits for this call, so it is limited to one second: agents
// whose figures were not read by then start without them. A read error is logged, with the same effect.
void restore_fleet(const std::vector<history::KnownAgent>& known, const std::string& path, const Clock& clock,
                   Fleet& fleet);

}  // namespace monitor::analysis::web

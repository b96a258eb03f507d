// Restores the fleet from the history at a start of the page: the agents, and the recent figures of those seen lately.
#pragma once

#include <string>
#include <vector>

#include "views/fleet/fleet.h"
#include "views/history/store.h"

namespace monitor::analysis::web {

// `known` are the agents in the history at `path`. The page waits for this call, so it takes one second at most: agents
// whose figures were not read by then start without them. Read errors are logged, with the same effect.
void restore_fleet(const std::vector<history::KnownAgent>& known, const std::string& path, const Clock& clock,
                   Fleet& fleet);

}  // namespace monitor::analysis::web

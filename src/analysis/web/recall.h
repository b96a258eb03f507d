// What the page knew before it was restarted, from the history: the agents, and the short past of those that lived
// lately.
#pragma once

#include <string>
#include <vector>

#include "analysis/fleet/fleet.h"
#include "analysis/history/store.h"

namespace monitor::analysis::web {

// `known` are the history's, whose file is `path`. What cannot be read is logged and left out: it is no reason not to
// serve the page.
void recall(const std::vector<history::KnownAgent>& known, const std::string& path, int64_t now_ns, Fleet& fleet);

}  // namespace monitor::analysis::web

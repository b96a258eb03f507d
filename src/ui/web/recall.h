// What the page knew before it was restarted, from the history: the agents, and the short past of those that lived
// lately.
#pragma once

#include <string>
#include <vector>

#include "views/fleet/fleet.h"
#include "views/history/store.h"

namespace monitor::analysis::web {

// `known` are the history's, whose file is `path`. It takes a second at most, since the page waits for it: agents of
// which the past was not read by then begin without. What cannot be read is logged and left out, too.
void recall(const std::vector<history::KnownAgent>& known, const std::string& path, const Clock& clock, Fleet& fleet);

}  // namespace monitor::analysis::web

// `monitor-agent --once`: reads twice, prints and exits. Needs no server and stores nothing. Blocks the calling thread
// between the two reads.
#pragma once

#include <string>

#include "base/event_loop.h"
#include "base/result.h"
#include "config/settings.h"
#include "inputs/tick_source.h"
#include "plugins/hosted/hosted_plugins.h"

namespace monitor::agent {

struct OnceOptions {
  std::string agent_id;
  std::string hostname;
  std::string version;
  bool json = false;
  bool trace = false;  // prints the tick after every plugin first
};

// Returns one line of JSON as `get-metrics --format json` prints it, or a readable listing. Waits for plugins in hosts.
// Errors: kAborted if all sources were read but no metric had a value, as right after a resume (a retry may succeed);
// kUnavailable if no source was readable. A configuration without metrics returns an empty text.
Result<std::string> read_once(const OnceOptions& options, const config::Settings& settings, EventLoop& loop,
                              metrics::SeriesTable& table, TickSource& source, HostedPlugins* hosted);

}  // namespace monitor::agent

// `monitor-agent --once`: reads twice, prints, ends. No server is needed, nothing is kept. It blocks the calling thread
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
  bool trace = false;  // what every plugin makes of the tick, before the rest
};

// One line of JSON as `get-metrics --format json` prints it, or a listing for people.
// Plugins in hosts are waited for. Errors: kAborted when all was read and nothing had a value, as right after a resume:
// another try may have one; kUnavailable when nothing could be read. A configuration without metrics gives no text.
Result<std::string> read_once(const OnceOptions& options, const config::Settings& settings, EventLoop& loop,
                              metrics::SeriesTable& table, TickSource& source, HostedPlugins* hosted);

}  // namespace monitor::agent

// `monitor-agent --once`: reads twice, prints the values, and ends. Needs no server and stores nothing.
#pragma once

#include <string>

#include "base/event_loop.h"
#include "base/result.h"
#include "config/settings.h"
#include "inputs/tick_source.h"
#include "plugins/hosted/hosted_plugins.h"

namespace monitor::agent {

struct SnapshotOptions {
  std::string agent_id;
  std::string hostname;
  std::string version;
  bool json = false;
  bool trace = false;  // first print what every plugin does to the tick
};

// Returns the text to print: one line of JSON in the form of `get-metrics --format json`, or a table for people. Empty
// if the configuration selects no metrics. Waits for plugins that run in hosts. Blocks the calling thread between the
// two readings. kAborted: everything was read, but nothing had a value (as right after a resume), so a retry
// may succeed. kUnavailable: nothing could be read. kFailedPrecondition: a plugin cannot be started.
Result<std::string> take_snapshot(const SnapshotOptions& options, const config::Settings& settings, EventLoop& loop,
                                  metrics::SeriesTable& table, TickSource& source, HostedPlugins* hosted);

}  // namespace monitor::agent

// `monitor-analysis top`: follows a log and shows the fleet, until `q`, `stop`, or a permanent error. It takes over the
// terminal of standard input and output, and restores it at the end. Blocks the calling thread; other threads may set
// `stop` and wake the reader.
#pragma once

#include <atomic>
#include <functional>

#include "base/clock.h"
#include "base/result.h"
#include "metriclog/log.h"
#include "telemetry/registry.h"
#include "views/fleet/server_watch.h"

namespace monitor::analysis::top {

// `servers` says whether a server writes to the log. It is called for each drawing and must not block.
// Errors: those of the reader; kUnavailable: the terminal cannot be used.
Status run(metriclog::LogReader& reader, const Clock& clock, telemetry::Registry& registry,
           const std::atomic<bool>& stop, const std::function<Servers()>& servers);

}  // namespace monitor::analysis::top

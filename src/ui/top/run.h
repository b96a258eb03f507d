// `monitor-analysis top`: follows a log and shows the fleet, until `q`, `stop`, or an error that does not pass. It
// takes the terminal of standard input and output, and leaves it as it was. Blocks the thread that calls it; `stop` may
// be set, and the reader woken, from any other.
#pragma once

#include <atomic>
#include <functional>

#include "base/clock.h"
#include "base/result.h"
#include "metriclog/log.h"
#include "telemetry/registry.h"
#include "views/fleet/server_watch.h"

namespace monitor::analysis::top {

// `servers`: whether a server writes the log; asked with each drawing, and answers at once.
// Errors: the reader's; kUnavailable for a terminal that cannot be used.
Status run(metriclog::LogReader& reader, const Clock& clock, telemetry::Registry& registry,
           const std::atomic<bool>& stop, const std::function<Servers()>& servers);

}  // namespace monitor::analysis::top

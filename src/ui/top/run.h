// `monitor-analysis top`: follows a log and shows the fleet on a screen, until `q`, `stop`, the end of the terminal, or
// a permanent error. Blocks the calling thread; other threads may set `stop` and wake the reader.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/disk.h"
#include "base/result.h"
#include "metriclog/log.h"
#include "telemetry/registry.h"
#include "ui/top/alerts.h"
#include "ui/top/screen.h"
#include "ui/top/unusual.h"
#include "views/fleet/server_watch.h"

namespace monitor::analysis::top {

// Everything must outlive run().
struct TopParts {
  metriclog::LogReader& reader;
  const Clock& clock;
  telemetry::Registry& registry;
  const std::atomic<bool>& stop;
  // These are called for each drawing and must not block. Servers: whether a server writes the log. Alerts: the list,
  // if it has changed since the last call.
  std::function<Servers()> servers;
  std::function<std::optional<AlertList>()> alerts;
  std::function<std::optional<UnusualShares>()> unusual;  // likewise
  Disk& disk;
  std::string settings_path;  // empty: nothing is remembered
};

// Errors: those of the reader.
Status run(const TopParts& parts, Screen& screen);

}  // namespace monitor::analysis::top

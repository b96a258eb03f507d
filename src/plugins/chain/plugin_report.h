// The output of --trace-plugins. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "config/status.h"
#include "metrics/series.h"
#include "plugins/chain/chain.h"

namespace monitor::agent {

// Describes what a plugin did to a tick: points that it removed, added or changed. `after` is null if the tick was
// dropped.
std::string trace_text(const metrics::SeriesTable& table, const config::PluginStatus& plugin,
                       const metrics::Tick& before, const metrics::Tick* after, std::string_view failure);

}  // namespace monitor::agent

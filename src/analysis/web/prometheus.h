// The latest values in Prometheus' text format, named as OpenTelemetry's mapping says: dots become underscores, the
// unit is a suffix in words, a gauge of unit 1 is a ratio, a counter a total. Pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "analysis/fleet/fleet.h"

namespace monitor::analysis::web {

// "system.disk.io.rate" in By/s: "system_disk_io_rate_bytes_per_second".
std::string prometheus_name(const metrics::Series& series);
// A label's name: letters, digits and underscores, not beginning with a digit.
std::string prometheus_label(std::string_view name);

// Values of agents that were heard of after `heard_after_ns`, sorted by name, each with the labels `agent` and `host`.
std::string prometheus_text(const Fleet& fleet, int64_t heard_after_ns);

}  // namespace monitor::analysis::web

// Says what agents must be configured to collect so that a metric exists.
#pragma once

#include <string>

namespace monitor::metrics {

// For a metric's own name or that of Prometheus, such as "agents collect it if their configuration has net errors".
// Empty: no collector declares the metric.
std::string collecting_hint(const std::string& metric);

}  // namespace monitor::metrics

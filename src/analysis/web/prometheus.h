// The latest values in Prometheus' text format, named as OpenTelemetry's mapping says: dots become underscores, the
// unit is a suffix in words, a gauge of unit 1 is a ratio, a counter a total. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "analysis/fleet/fleet.h"

namespace monitor::analysis::web {

// "system.disk.io.rate" in By/s: "system_disk_io_rate_bytes_per_second".
std::string prometheus_name(const metrics::Series& series);
// A label's name: letters, digits and underscores, not beginning with a digit.
std::string prometheus_label(std::string_view name);

// What is scraped: of every agent when it was last heard of, and the values of those that were after `heard_after_ns`.
// Each has the labels `agent` and `host`; sorted by name.
class PrometheusText {
 public:
  void add(const LiveAgent& agent, int64_t heard_after_ns);
  std::string text() &&;

 private:
  struct Family {
    bool counter = false;
    std::string help;
    std::string lines;
  };
  Family& family(const std::string& name, bool counter, const std::string& source, const std::string& unit);

  std::map<std::string, Family> families_;
};

}  // namespace monitor::analysis::web

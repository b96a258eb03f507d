// The latest values in Prometheus' text format. Names follow prometheus_names.h. Each series of an agent becomes one
// series with a distinct label set. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "metrics/prometheus_names.h"
#include "views/fleet/fleet.h"

namespace monitor::analysis::web {

// Collects one scrape: when each agent was last seen, and the values of agents seen after `heard_after_ns`. Series have
// the labels `agent` and `host`, and the labels of the agent's configuration. Families are sorted by name.
class PrometheusText {
 public:
  void add(const LiveAgent& agent, int64_t heard_after_ns);
  std::string text() &&;

 private:
  struct Family {
    bool counter = false;
    std::string help;
    std::string unit;  // empty: the name does not end with a unit
    std::string lines;
  };
  std::string name_of(const metrics::Series& series, const std::string& usual, const metrics::NameChoice& choice);
  Family& family(const std::string& name, const metrics::Series& series);

  std::map<std::string, Family> families_;
};

}  // namespace monitor::analysis::web

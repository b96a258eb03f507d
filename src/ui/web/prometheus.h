// The latest values in Prometheus' text format, named as prometheus_names.h says. Every series of an agent is a series
// there, with a label set of its own. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "ui/web/prometheus_names.h"
#include "views/fleet/fleet.h"

namespace monitor::analysis::web {

// What is scraped: of every agent when it was last heard of, and the values of those that were after `heard_after_ns`.
// Each has the labels `agent` and `host`, and those of its configuration; sorted by name.
class PrometheusText {
 public:
  void add(const LiveAgent& agent, int64_t heard_after_ns);
  std::string text() &&;

 private:
  struct Family {
    bool counter = false;
    std::string help;
    std::string unit;  // empty: the name does not end with one
    std::string lines;
  };
  std::string name_of(const metrics::Series& series, const std::string& usual, const NameChoice& choice);
  Family& family(const std::string& name, const metrics::Series& series);

  std::map<std::string, Family> families_;
};

}  // namespace monitor::analysis::web

// Maps metric and label names to Prometheus' text format, and keeps distinct the names that would collide there.
//
// The usual name follows OpenTelemetry's mapping: dots become underscores; the unit and `_total` are appended. If
// several names of an agent map to the same one, one of them keeps it: the one already spelled so, else the first in
// order. The others use Prometheus' value escaping (U__a_2e_b for a.b), so no series are merged or lost. Pure
// functions.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "metrics/series.h"

namespace monitor::metrics {

// A label that is reserved, for the agent's identity or by Prometheus, becomes `exported_NAME`.
std::string prometheus_label(std::string_view name);
std::string prometheus_name(const Series& series);

// The unit in words, as prometheus_name() appends it: "bytes", "bytes_per_second", "ratio"; empty: none.
std::string prometheus_unit(const Series& series);

// "a.b_c" -> "U__a_2e_b__c", which is injective. Prometheus calls it value escaping.
std::string prometheus_escaped(std::string_view name);
// The escaped name of a metric, with its unit and `_total`.
std::string prometheus_escaped(const Series& series);

// Decides which of several names keeps a usual name that they share.
class NameChoice {
 public:
  // `name` would become `usual`.
  void add(const std::string& usual, const std::string& name) { names_[usual].insert(name); }
  // True if `name` keeps `usual`. The pair must have been added.
  bool keeps(const std::string& usual, const std::string& name) const;

 private:
  std::map<std::string, std::set<std::string>> names_;
};

}  // namespace monitor::metrics

// Names for Prometheus: how metric and label names of ours become names of its text format, and what is done where two
// of ours become one of its.
//
// A usual name follows OpenTelemetry's mapping (dots become underscores, units and `_total` are appended). Of several
// names of an agent that become the same, one keeps that form: the one that is spelled so already, else the first in
// order. The others are spelled in Prometheus' own escaping (U__a_2e_b for a.b), so that no two series become one, and
// none is lost. Pure functions.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "metrics/series.h"

namespace monitor::analysis::web {

// Labels that identify the agent, or that Prometheus gives a meaning, are for others' labels `exported_NAME`.
std::string prometheus_label(std::string_view name);
std::string prometheus_name(const metrics::Series& series);

// The unit in words, as prometheus_name() appends it: "bytes", "bytes_per_second", "ratio"; empty: none.
std::string prometheus_unit(const metrics::Series& series);

// "a.b_c" -> "U__a_2e_b__c": no two texts become the same. Prometheus calls it value encoding.
std::string prometheus_escaped(std::string_view name);
// The escaped name of a metric: with its unit and `_total`.
std::string prometheus_escaped(const metrics::Series& series);

// Which of the names given to it become the same, and what each becomes.
class NameChoice {
 public:
  // `name` becomes `usual` if it can.
  void add(const std::string& usual, const std::string& name) { names_[usual].insert(name); }
  // Whether `name` is the one that becomes `usual`. Both must have been added.
  bool keeps(const std::string& usual, const std::string& name) const;

 private:
  std::map<std::string, std::set<std::string>> names_;
};

}  // namespace monitor::analysis::web

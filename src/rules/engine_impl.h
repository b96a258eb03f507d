// Engine: a group that is evaluated, and the engine's metrics. Used by engine.cc and engine_figures.cc only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rules/engine.h"

namespace monitor::rules {

struct Engine::Running {
  Group group;
  int64_t interval_ms = 0;
  int64_t offset_ms = 0;  // its evaluations are at offset + k * interval
  std::vector<std::string> identities;
  GroupState state;
  std::vector<StoredRule> stored;  // as last written, to write only what changes
  int64_t took_ns = 0;
  bool slow = false;  // its last evaluation took longer than its interval
};

struct Engine::Metrics {
  explicit Metrics(telemetry::Registry& r)
      : evaluations(r.counter("monitor_rules_evaluations_total", "Evaluations of groups of rules.")),
        failures(r.counter("monitor_rules_failures_total", "Evaluations of single rules that failed.")),
        missed(r.counter("monitor_rules_missed_evaluations_total",
                         "Evaluations of groups that were not made because the data came too late for them, or because "
                         "the one before took longer than the interval.")),
        store_failures(r.counter("monitor_rules_store_failures_total",
                                 "Evaluations whose result could not be stored; they are made again.")),
        groups(r.gauge("monitor_rules_groups", "Groups of rules that are evaluated.")),
        rules(r.gauge("monitor_rules_rules", "Rules that are evaluated.")),
        pending(r.gauge("monitor_rules_alerts", "Alerts, by state.", {{"state", "pending"}})),
        firing(r.gauge("monitor_rules_alerts", "", {{"state", "firing"}})),
        last(r.gauge("monitor_rules_last_evaluation_seconds", "The time of the last evaluation, seconds since 1970.")),
        last_duration(r.gauge("monitor_rules_last_duration_seconds", "How long the last evaluation of a group took.")),
        duration(r.histogram("monitor_rules_evaluation_seconds", "How long an evaluation of a group takes.",
                             telemetry::latency_bounds())) {}

  telemetry::Counter& evaluations;
  telemetry::Counter& failures;
  telemetry::Counter& missed;
  telemetry::Counter& store_failures;
  telemetry::Gauge& groups;
  telemetry::Gauge& rules;
  telemetry::Gauge& pending;
  telemetry::Gauge& firing;
  telemetry::Gauge& last;
  telemetry::Gauge& last_duration;
  telemetry::Histogram& duration;
};

}  // namespace monitor::rules

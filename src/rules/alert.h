// Alert: the result of an alerting rule for one set of labels at one evaluation. AlertSink: the interface that receives
// alerts.
//
// The life of an alert is that of Prometheus: it becomes pending when the expression first has a value for its labels,
// firing when that has lasted for the rule's `for`, and resolved when the expression has no value any more.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "query/labels.h"

namespace monitor::rules {

enum class AlertState : uint8_t { kPending, kFiring, kResolved };

// A value type. All times are milliseconds since 1970 of the data (the watermark), not of the clock of this host.
struct Alert {
  query::Labels labels;  // with "alertname"; identifies the alert among those of all rules
  std::vector<std::pair<std::string, std::string>> annotations;
  AlertState state = AlertState::kPending;
  double value = 0;            // of the expression, at the last evaluation that had one
  int64_t active_at_ms = 0;    // since when the expression has had a value
  int64_t fired_at_ms = 0;     // 0: never
  int64_t resolved_at_ms = 0;  // 0: not resolved
  std::string group;           // the rule's group; the name of the file and that of the group, separated by ';'
  std::string expression;      // of the rule

  bool operator==(const Alert&) const = default;
};

// The rule engine declares and calls it; notifications implement it.
class AlertSink {
 public:
  virtual ~AlertSink() = default;
  // After each evaluation of a group, on the engine's thread: its alerts that are firing, and those that have been
  // resolved in the last 15 minutes. The same alert comes again and again; the sink finds out what is new. Must not
  // block: a slow receiver must not delay the next evaluation.
  //
  // Pending alerts may be passed, too: nobody is notified of them, and `alert list` shows them. A pending alert that is
  // not passed by a later evaluation of its group, or is passed as resolved without having fired, is forgotten. When a
  // rule or a group is removed, pass its firing alerts once more, as resolved: an alert that is no longer passed at all
  // stays as it was, because it may only be waiting for data.
  virtual void update(std::span<const Alert> alerts, int64_t evaluated_at_ms) = 0;

  // The same, and these are all alerts of the group, those included that wait for data. An alert of the group that the
  // sink knows as firing and that is not among them has ended while nobody was told: the process was down for longer
  // than resolved alerts are passed, or the rule has exceeded its limit.
  virtual void update_group(const std::string& /*group*/, std::span<const Alert> alerts, int64_t evaluated_at_ms) {
    update(alerts, evaluated_at_ms);
  }

  // These are all groups of rules, now and then. An alert of another group that the sink knows as firing has no rule
  // any more: the rule was removed while nobody was told.
  virtual void update_groups(const std::set<std::string>& /*groups*/, int64_t /*evaluated_at_ms*/) {}
};

}  // namespace monitor::rules

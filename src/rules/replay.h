// Replays rules over past data, and reports what their alerts would have done. Pure, except for reading `data`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/series.h"
#include "rules/alert.h"
#include "rules/rule_file.h"

namespace monitor::rules {

struct ReplayOptions {
  int64_t from_ms = 0;
  int64_t to_ms = 0;
  int64_t interval_ms = 15'000;  // of groups that name none
  query::Labels external_labels = {};
  std::string external_url = {};
};

// A change of an alert's state.
struct ReplayChange {
  int64_t at_ms = 0;
  AlertState state = AlertState::kPending;
  Alert alert;
  int64_t lasted_ms = 0;  // how long the alert was pending (kFiring) or active (kResolved)
};

struct ReplayReport {
  std::vector<ReplayChange> changes;  // in the order of time
  std::vector<Alert> active;          // pending or firing at the end
  std::vector<std::string> failures;  // of rules; each rule at most once
  size_t evaluations = 0;             // of rules
  size_t samples = 0;                 // that the rules have written
};

// Every group is evaluated at multiples of its interval. kResourceExhausted: more evaluations, changes or
// samples than a replay may have.
Result<ReplayReport> replay(const std::vector<Group>& groups, query::SeriesSource& data, const ReplayOptions& options);

}  // namespace monitor::rules

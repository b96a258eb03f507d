// Replays rules over past data, and reports what their alerts would have done. Pure, except for reading `data`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/evaluator.h"
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
  // Of each expression. `query.limits.check` is also called between evaluations; its error ends the replay.
  query::QueryOptions query = {};
  // A group with more evaluations than this is evaluated at a multiple of its interval; 0: never, and a group with more
  // than a million evaluations is refused.
  int64_t most_evaluations = 0;
  size_t most_changes = 500'000;
  size_t most_samples = 30'000'000;           // that the rules may write
  size_t most_bytes = size_t{4} << 30;        // of changes, and of the labels that the rules write, approximately
  size_t most_text_bytes = size_t{64} << 20;  // of the labels and annotations of one evaluation of a rule
};

// A change of an alert's state.
struct ReplayChange {
  int64_t at_ms = 0;
  AlertState state = AlertState::kPending;
  Alert alert;
  int64_t lasted_ms = 0;  // how long the alert was pending (kFiring) or active (kResolved)
};

struct ReplayedGroup {
  std::string name;
  std::string file;
  int64_t interval_ms = 0;
  int64_t step_ms = 0;  // between the evaluations; a multiple of the interval
};

struct ReplayReport {
  std::vector<ReplayChange> changes;  // in the order of time
  std::vector<Alert> active;          // pending or firing at the end
  std::vector<std::string> failures;  // of rules; each rule at most once
  std::vector<ReplayedGroup> groups;
  size_t evaluations = 0;  // of rules
  size_t samples = 0;      // that the rules have written
};

// Every group is evaluated at multiples of its step. kResourceExhausted: more evaluations, changes, samples or memory
// than the replay may have. Errors of `query.limits.check`.
Result<ReplayReport> replay(const std::vector<Group>& groups, query::SeriesSource& data, const ReplayOptions& options);

// A time during which an alert was active.
struct ReplayEpisode {
  Alert alert = {};            // at its last change before the end; its value and annotations are those of that time
  int64_t active_at_ms = 0;    // pending from then on
  int64_t fired_at_ms = 0;     // firing from then on; 0: it never fired
  int64_t resolved_at_ms = 0;  // 0: it was still active at the end of the replay
};

// In the order in which they began.
std::vector<ReplayEpisode> episodes_of(const ReplayReport& report);

// Leaves only the alerting rules of this name, and all recording rules, because alerts may use what they record. False:
// no alerting rule has the name.
bool keep_only_alert(const std::string& alert, std::vector<Group>& groups);

}  // namespace monitor::rules

// Evaluates one rule at one time, as Prometheus does: reads series, changes the given state, and returns the samples to
// write. No I/O of its own and no clock. One thread per state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/evaluator.h"
#include "query/series.h"
#include "rules/group_state.h"
#include "rules/rule_file.h"

namespace monitor::rules {

struct EvaluationContext {
  query::SeriesSource* source = nullptr;  // the data, and the results of earlier rules
  int64_t at_ms = 0;                      // the time of the evaluation
  query::Labels external_labels = {};
  std::string external_url = {};
  query::QueryOptions options = {};
  // True if data of this time may still arrive for series with these labels, although the evaluation did not wait for
  // it. An alert whose series has no value is then kept as it is. Empty: no data arrives later.
  std::function<bool(const query::Labels&)> undelivered = {};
  // Of the labels and annotations that templates make in this evaluation; a text beyond it says so instead.
  size_t max_text_bytes = SIZE_MAX;
};

struct Sample {
  query::Labels labels;
  double value = 0;
};

// The samples have the time context.at_ms - group.query_offset_ms. After an error, the state is as it was before; only
// a rule above its limit loses its alerts.
Result<std::vector<Sample>> evaluate_rule(const Group& group, const Rule& rule, const EvaluationContext& context,
                                          RuleState& state);

// The same for callers that evaluate an expression at many times at once: `found` is the value of the rule's expression
// at context.at_ms - group.query_offset_ms. Each series has one point.
Result<std::vector<Sample>> apply_result(const Group& group, const Rule& rule, const EvaluationContext& context,
                                         std::vector<query::ResultSeries> found, RuleState& state);

// The series about an alert: ALERTS with its state, and ALERTS_FOR_STATE, whose value is the time since which it has
// been active, in Unix seconds.
query::Labels alerts_series(const Alert& alert);
query::Labels alerts_for_state_series(const Alert& alert);

}  // namespace monitor::rules

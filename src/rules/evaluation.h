// Evaluates one rule at one moment, as Prometheus does. Pure: reads series, changes the given state, and returns the
// samples to write.
#pragma once

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
  query::SeriesSource* source = nullptr;  // the data, and what earlier rules have written
  int64_t at_ms = 0;                      // the time of the evaluation
  query::Labels external_labels = {};
  std::string external_url = {};
  query::QueryOptions options = {};
  // Whether the data of this time may still come for series with these labels, although the evaluation did not wait for
  // it: an alert is then kept as it is when its series has no value. Nothing: no data comes later.
  std::function<bool(const query::Labels&)> undelivered = {};
};

struct Sample {
  query::Labels labels;
  double value = 0;
};

// After an error, the state is as it was before, but for a rule over its limit, whose alerts are removed. Otherwise,
// the samples belong to the time context.at_ms - group.query_offset_ms.
Result<std::vector<Sample>> evaluate_rule(const Group& group, const Rule& rule, const EvaluationContext& context,
                                          RuleState& state);

// The same with the value of the rule's expression at context.at_ms - group.query_offset_ms, for those who evaluate it
// at many moments at once. Each series has one point.
Result<std::vector<Sample>> apply_result(const Group& group, const Rule& rule, const EvaluationContext& context,
                                         std::vector<query::ResultSeries> found, RuleState& state);

// The series that tell of an alert: ALERTS with its state, and ALERTS_FOR_STATE, whose value is since when it has been
// active in seconds.
query::Labels alerts_series(const Alert& alert);
query::Labels alerts_for_state_series(const Alert& alert);

}  // namespace monitor::rules

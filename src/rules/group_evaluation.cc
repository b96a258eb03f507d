#include "rules/group_evaluation.h"

#include <utility>

#include "query/ast.h"

namespace monitor::rules {

namespace {

// Writes the samples, and ends the series that the rule wrote before and does not now.
Status write_samples(const std::vector<Sample>& samples, int64_t at_ms, ResultStore& store, RuleState& state) {
  SeriesSet outputs;
  for (const Sample& sample : samples) {
    if (auto status = store.append(sample.labels, {at_ms, sample.value}); !status) return status;
    outputs.insert(sample.labels);
  }
  for (const query::Labels& labels : state.outputs) {
    if (outputs.contains(labels)) continue;
    if (auto status = store.append(labels, {at_ms, query::stale_marker()}); !status) return status;
  }
  state.outputs = std::move(outputs);
  return {};
}

// Whether the rule reads the data of agents. What this program itself knows of agents, such as agent_state(), never
// comes late.
bool reads_data(const Rule& rule) {
  bool found = false;
  query::for_each_selector(*rule.expression, [&found](const query::Selector&) { found = true; });
  return found;
}

}  // namespace

Status evaluate_group(const Group& group, EvaluationContext context, int64_t timeout_ns, const Clock& clock,
                      ResultStore& store, GroupState& state) {
  state.rules.resize(group.rules.size());
  state.evaluated_ms = context.at_ms;
  const auto undelivered = std::move(context.undelivered);
  for (size_t i = 0; i < group.rules.size(); ++i) {
    RuleState& rule = state.rules[i];
    const int64_t start = clock.mono_ns();
    if (timeout_ns > 0) {
      context.options.limits.check = [&clock, deadline = start + timeout_ns]() -> Status {
        if (clock.mono_ns() < deadline) return {};
        return Error(Code::kDeadlineExceeded, "the evaluation of the rule took too long");
      };
    }
    context.undelivered = reads_data(group.rules[i]) ? undelivered : nullptr;
    auto samples = evaluate_rule(group, group.rules[i], context, rule);
    Status written;
    if (samples) written = write_samples(*samples, context.at_ms - group.query_offset_ms, store, rule);
    // A full store is a fault of the rule that writes too many series; others go on.
    if (!written && written.error().code() != Code::kResourceExhausted) return written;
    rule.evaluated_ms = context.at_ms;
    rule.took_ns = clock.mono_ns() - start;
    rule.health = samples && written ? RuleHealth::kOk : RuleHealth::kFailed;
    rule.last_error = !samples ? samples.error().message() : (written ? "" : written.error().message());
  }
  return {};
}

}  // namespace monitor::rules

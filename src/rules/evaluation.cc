#include "rules/evaluation.h"

#include <fmt/format.h>

#include <utility>

#include "query/parser.h"

namespace monitor::rules {

namespace {

constexpr std::string_view kAlertName = "alertname";

Result<std::vector<query::ResultSeries>> instant(const query::Expression& expression, int64_t at_ms,
                                                 const EvaluationContext& context) {
  auto result =
      query::evaluate(expression, *context.source, {.start_ms = at_ms, .end_ms = at_ms, .step_ms = 1}, context.options);
  if (!result) return result.error();
  return std::move(result->series);
}

double value_of(const query::ResultSeries& series) { return series.points.front().value; }

// Expands the labels and annotations of one alert.
class Expander {
 public:
  Expander(const Rule& rule, const EvaluationContext& context, int64_t query_ms) : rule_(rule), context_(context) {
    template_.external_labels = &context.external_labels;
    template_.external_url = context.external_url;
    template_.query = [this, query_ms](const std::string& text) -> Result<std::vector<query::ResultSeries>> {
      const auto parsed = query::parse(text);
      if (!parsed) return parsed.error();
      return instant(**parsed, query_ms, context_);
    };
  }

  Alert alert_of(const query::ResultSeries& series) {
    template_.labels = &series.labels;
    template_.value = value_of(series);
    Alert alert;
    alert.labels = series.labels.without_name();
    for (const TemplatedText& one : rule_.labels) alert.labels.set(one.name, expand(one));
    alert.labels.set(kAlertName, rule_.name);
    for (const TemplatedText& one : rule_.annotations) alert.annotations.emplace_back(one.name, expand(one));
    alert.value = template_.value;
    return alert;
  }

 private:
  // A template that fails must not hide the alert: its text says what failed, as in Prometheus.
  std::string expand(const TemplatedText& one) {
    if (bytes_ > context_.max_text_bytes) return "<the texts of this rule's alerts are too long>";
    auto text = one.value->expand(template_);
    if (text) bytes_ += text->size();
    return text ? std::move(*text) : fmt::format("<error expanding template: {}>", text.error().message());
  }

  const Rule& rule_;
  const EvaluationContext& context_;
  TemplateContext template_;
  size_t bytes_ = 0;
};

Error equal_labels(const query::Labels& labels, const char* what) {
  return {Code::kInvalidArgument,
          fmt::format("two results have the same labels {} after the labels of the {} rule", labels.to_string(), what)};
}

Error over_limit(size_t limit, size_t count, const char* what) {
  return {Code::kResourceExhausted, fmt::format("exceeded limit of {} with {} {}", limit, count, what)};
}

// Moves one alert that the expression has, or has not, at this moment. Returns whether it is to be kept.
bool advance(ActiveAlert& active, const Rule& rule, const EvaluationContext& context, bool present) {
  Alert& alert = active.alert;
  const int64_t now = context.at_ms;
  if (!present) {
    if (alert.state == AlertState::kResolved) return now - alert.resolved_at_ms <= kReportResolvedMs;
    const bool unknown = context.undelivered && context.undelivered(alert.labels);
    if (alert.state == AlertState::kPending) {
      if (active.absent_since_ms == 0) active.absent_since_ms = now;
      return unknown;
    }
    if (!unknown && active.absent_since_ms == 0) active.absent_since_ms = now;
    const bool kept = rule.keep_firing_for_ms > 0 && now - active.absent_since_ms < rule.keep_firing_for_ms;
    if (unknown || kept) return true;
    alert.state = AlertState::kResolved;
    alert.resolved_at_ms = now;
    active.absent_since_ms = 0;
    return true;
  }
  const bool known = active.absent_since_ms == 0;
  if (alert.state == AlertState::kPending && known && now - alert.active_at_ms >= rule.for_ms) {
    alert.state = AlertState::kFiring;
    alert.fired_at_ms = now;
  }
  return true;
}

// While the data of an alert is not there, its value may be an old one. Time of which nothing is known does not count
// for `for`.
void note_unknown(ActiveAlert& active, const ActiveAlert* old, const Rule& rule, const EvaluationContext& context) {
  if (active.alert.state != AlertState::kPending || rule.for_ms == 0) return;
  const bool was_pending = old != nullptr && old->alert.state == AlertState::kPending;
  const int64_t since = was_pending ? old->absent_since_ms : 0;
  if (context.undelivered && context.undelivered(active.alert.labels)) {
    active.absent_since_ms = since > 0 ? since : context.at_ms;
  } else if (since > 0) {
    active.alert.active_at_ms += context.at_ms - since;
  }
}

Result<std::vector<Sample>> evaluate_alerts(const Group& group, const Rule& rule, const EvaluationContext& context,
                                            const std::vector<query::ResultSeries>& found, RuleState& state) {
  Expander expander(rule, context, context.at_ms - group.query_offset_ms);
  AlertMap present;
  for (const query::ResultSeries& series : found) {
    Alert alert = expander.alert_of(series);
    query::Labels labels = alert.labels;
    if (present.contains(labels)) return equal_labels(labels, "alerting");
    present.emplace(std::move(labels), ActiveAlert{.alert = std::move(alert)});
  }
  AlertMap next;
  size_t active_count = 0;
  for (const auto& [labels, old] : state.alerts) {
    if (present.contains(labels)) continue;
    ActiveAlert active = old;
    if (!advance(active, rule, context, false)) continue;
    if (active.alert.state != AlertState::kResolved) ++active_count;
    next.emplace(labels, std::move(active));
  }
  for (auto& [labels, one] : present) {
    const auto old = state.alerts.find(labels);
    if (old != state.alerts.end() && old->second.alert.state != AlertState::kResolved) {
      const Alert& known = old->second.alert;
      one.alert.state = known.state;
      one.alert.active_at_ms = known.active_at_ms;
      one.alert.fired_at_ms = known.fired_at_ms;
    } else {
      one.alert.active_at_ms = context.at_ms;
    }
    note_unknown(one, old == state.alerts.end() ? nullptr : &old->second, rule, context);
    one.alert.group = group.key();
    one.alert.expression = rule.expression_text;
    (void)advance(one, rule, context, true);
    ++active_count;
    next.emplace(labels, std::move(one));
  }
  if (group.limit > 0 && active_count > group.limit) {
    state.alerts.clear();  // as Prometheus: the rule begins anew when it is within its limit again
    return over_limit(group.limit, active_count, "alerts");
  }
  std::vector<Sample> samples;
  for (const auto& [labels, active] : next) {
    if (active.alert.state == AlertState::kResolved) continue;
    samples.push_back({alerts_series(active.alert), 1});
    samples.push_back({alerts_for_state_series(active.alert), static_cast<double>(active.alert.active_at_ms / 1000)});
  }
  state.alerts = std::move(next);
  return samples;
}

Result<std::vector<Sample>> evaluate_record(const Group& group, const Rule& rule,
                                            std::vector<query::ResultSeries> found) {
  std::vector<Sample> samples;
  SeriesSet seen;
  for (query::ResultSeries& series : found) {
    Sample sample{std::move(series.labels), value_of(series)};
    sample.labels.set(query::kNameLabel, rule.name);
    for (const TemplatedText& one : rule.labels) sample.labels.set(one.name, one.text());
    if (!seen.insert(sample.labels).second) return equal_labels(sample.labels, "recording");
    samples.push_back(std::move(sample));
  }
  if (group.limit > 0 && samples.size() > group.limit) return over_limit(group.limit, samples.size(), "series");
  return samples;
}

}  // namespace

query::Labels alerts_series(const Alert& alert) {
  query::Labels labels = alert.labels;
  labels.set(query::kNameLabel, "ALERTS");
  labels.set("alertstate", alert.state == AlertState::kPending ? "pending" : "firing");
  return labels;
}

query::Labels alerts_for_state_series(const Alert& alert) {
  query::Labels labels = alert.labels;
  labels.set(query::kNameLabel, "ALERTS_FOR_STATE");
  return labels;
}

Result<std::vector<Sample>> apply_result(const Group& group, const Rule& rule, const EvaluationContext& context,
                                         std::vector<query::ResultSeries> found, RuleState& state) {
  return rule.alerting ? evaluate_alerts(group, rule, context, found, state)
                       : evaluate_record(group, rule, std::move(found));
}

Result<std::vector<Sample>> evaluate_rule(const Group& group, const Rule& rule, const EvaluationContext& context,
                                          RuleState& state) {
  auto found = instant(*rule.expression, context.at_ms - group.query_offset_ms, context);
  if (!found) return found.error();
  return apply_result(group, rule, context, std::move(*found), state);
}

}  // namespace monitor::rules

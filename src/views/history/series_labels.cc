#include "views/history/series_labels.h"

#include <algorithm>
#include <utility>

#include "metrics/prometheus_names.h"

namespace monitor::analysis::history {

bool matches(Matchers matchers, const query::Labels& labels) {
  return std::ranges::all_of(matchers, [&](const query::Matcher& m) { return m.matches(labels.get(m.label())); });
}

bool may_match(Matchers matchers, const KnownAgent& agent) {
  return std::ranges::all_of(matchers, [&agent](const query::Matcher& m) {
    return (m.label() != "agent" || m.matches(agent.name)) && (m.label() != "host" || m.matches(agent.host));
  });
}

bool names_metric(Matchers matchers) {
  return std::ranges::any_of(matchers, [](const query::Matcher& m) { return m.label() == query::kNameLabel; });
}

query::Labels own_labels(const metrics::Series& series, const KnownAgent& agent) {
  query::Labels labels;
  for (const auto& [name, value] : series.labels) labels.set(name, value);
  labels.set(query::kNameLabel, series.name);
  labels.set("agent", agent.name);
  labels.set("host", agent.host);
  return labels;
}

query::Labels prometheus_labels(const metrics::Series& series, const KnownAgent& agent) {
  query::Labels labels;
  for (const auto& [name, value] : series.labels) labels.set(metrics::prometheus_label(name), value);
  labels.set(query::kNameLabel, metrics::prometheus_name(series));
  labels.set("agent", agent.name);
  labels.set("host", agent.host);
  return labels;
}

std::optional<query::Labels> selected_labels(Matchers matchers, const metrics::Series& series,
                                             const KnownAgent& agent) {
  query::Labels own = own_labels(series, agent);
  if (matches(matchers, own)) return own;
  if (!names_metric(matchers)) return std::nullopt;
  query::Labels mapped = prometheus_labels(series, agent);
  return matches(matchers, mapped) ? std::optional(std::move(mapped)) : std::nullopt;
}

}  // namespace monitor::analysis::history

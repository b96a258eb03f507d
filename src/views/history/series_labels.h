// The labels of the history's series, as the query language sees them, in both spellings: the names of this program
// ("system.cpu.utilization", cpu.mode) and those of Prometheus (system_cpu_utilization_ratio, cpu_mode). Pure
// functions.
#pragma once

#include <optional>
#include <span>

#include "metrics/series.h"
#include "query/labels.h"
#include "query/matcher.h"
#include "views/history/agents.h"

namespace monitor::analysis::history {

using Matchers = std::span<const query::Matcher>;

// Whether the labels fulfil all conditions.
bool matches(Matchers matchers, const query::Labels& labels);
// Whether an agent may have series that fulfil the conditions, as far as its own labels say.
bool may_match(Matchers matchers, const KnownAgent& agent);
bool names_metric(Matchers matchers);

query::Labels own_labels(const metrics::Series& series, const KnownAgent& agent);
query::Labels prometheus_labels(const metrics::Series& series, const KnownAgent& agent);

// The labels under which a selector finds the series; nothing if it does not. A selector without a condition on the
// name finds it under its own names.
std::optional<query::Labels> selected_labels(Matchers matchers, const metrics::Series& series, const KnownAgent& agent);

}  // namespace monitor::analysis::history

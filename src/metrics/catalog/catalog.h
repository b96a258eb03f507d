// The catalog: every collector's declaration, and lookups by name. Constant; usable from any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/catalog/spec.h"
#include "metrics/series.h"

namespace monitor::metrics {

namespace catalog {
#define COLLECTOR(x) extern const CollectorSpec x;
#include "metrics/catalog/collectors.def"
#undef COLLECTOR
}  // namespace catalog

std::span<const CollectorSpec* const> collectors();

// nullptr if no collector declares the metric; metrics of plugins and other programs are not declared.
const MetricSpec* find_metric(std::string_view name);
// The metrics that a selector produces, in the order of declaration, including those that an option adds.
std::vector<const MetricSpec*> metrics_of(std::string_view selector);

// A series of a declared metric, with its unit, kind and exponent. The name must be in the catalog.
Series declared_series(std::string_view name, Labels labels = {});

// The tables of docs/metrics.md.
std::string catalog_markdown();

}  // namespace monitor::metrics

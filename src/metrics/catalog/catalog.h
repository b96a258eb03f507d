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

// nullptr: not declared. Names of plugins' and other programs' metrics are not.
const MetricSpec* find_metric(std::string_view name);
// The metrics that a selector produces, in their order; with options, those that options add, too.
std::vector<const MetricSpec*> metrics_of(std::string_view selector);

// A series of a declared metric, with its unit, kind and exponent. The name must be in the catalog.
Series declared_series(std::string_view name, Labels labels = {});

// The tables of docs/metrics.md.
std::string catalog_markdown();

}  // namespace monitor::metrics

#include "metrics/catalog/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "base/text.h"

namespace monitor::metrics {

namespace {

constexpr std::array kCollectors = {
#define COLLECTOR(x) &catalog::x,
#include "metrics/catalog/collectors.def"
#undef COLLECTOR
};

bool produces(const MetricSpec& metric, std::string_view selector) {
  return std::ranges::any_of(split(metric.selectors, ','), [&](std::string_view one) { return one == selector; });
}

// "`disk read`, `disk write` with `counters`"
std::string selectors_of(const MetricSpec& metric) {
  std::string out;
  for (const std::string_view one : split(metric.selectors, ',')) {
    out += fmt::format("{}`{}`", out.empty() ? "" : ", ", one);
  }
  return metric.option.empty() ? out : fmt::format("{} with `{}`", out, metric.option);
}

}  // namespace

std::span<const CollectorSpec* const> collectors() { return kCollectors; }

const MetricSpec* find_metric(std::string_view name) {
  for (const CollectorSpec* const collector : kCollectors) {
    for (const MetricSpec& metric : collector->metrics) {
      if (metric.name == name) return &metric;
    }
  }
  return nullptr;
}

std::vector<const MetricSpec*> metrics_of(std::string_view selector) {
  std::vector<const MetricSpec*> result;
  for (const CollectorSpec* const collector : kCollectors) {
    for (const MetricSpec& metric : collector->metrics) {
      if (produces(metric, selector)) result.push_back(&metric);
    }
  }
  return result;
}

Series declared_series(std::string_view name, Labels labels) {
  const MetricSpec* const metric = find_metric(name);
  assert(metric != nullptr && "no collector declares the metric");
  return {std::string(name), std::move(labels), std::string(metric->unit), metric->kind, true, metric->exponent};
}

std::string catalog_markdown() {
  std::string out = "| metric | selector | unit | kind | description |\n|---|---|---|---|---|\n";
  std::string definitions = "| metric | source | formula | counting rules | equals |\n|---|---|---|---|---|\n";
  const auto cell = [](std::string_view text) { return text.empty() ? std::string(" |") : fmt::format(" {} |", text); };
  for (const CollectorSpec* const collector : kCollectors) {
    for (const MetricSpec& metric : collector->metrics) {
      out += fmt::format("| `{}` | {} | `{}` | {} | {} |\n", metric.name, selectors_of(metric), metric.unit,
                         metric.kind == Kind::kCounter ? "counter" : "gauge", metric.description);
      definitions += fmt::format("| `{}` |{}{}{}{}\n", metric.name, cell(metric.source), cell(metric.formula),
                                 cell(metric.rules), cell(metric.equals));
    }
  }
  return out + "\n" + definitions;
}

}  // namespace monitor::metrics

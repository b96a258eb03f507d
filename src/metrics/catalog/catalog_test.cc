#include "metrics/catalog/catalog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "base/text.h"

namespace monitor::metrics {
namespace {

using Names = std::set<std::string_view>;

TEST(CatalogTest, DeclaresEachNameOnce) {
  Names collector_names;
  Names selectors;
  Names metrics;
  for (const CollectorSpec* const collector : collectors()) {
    EXPECT_TRUE(collector_names.insert(collector->name).second) << collector->name;
    for (const SelectorSpec& one : collector->selectors) EXPECT_TRUE(selectors.insert(one.name).second) << one.name;
    for (const MetricSpec& one : collector->metrics) EXPECT_TRUE(metrics.insert(one.name).second) << one.name;
  }
}

TEST(CatalogTest, ProducesEachMetricBySelectorsAndOptionsOfItsCollector) {
  // By selector. A metric may also be produced by another collector's selector.
  std::map<std::string_view, Names> options;
  for (const CollectorSpec* const collector : collectors()) {
    for (const SelectorSpec& one : collector->selectors) {
      for (const OptionSpec& option : one.options) options[one.name].insert(option.name);
      options.try_emplace(one.name);
      EXPECT_FALSE(metrics_of(one.name).empty()) << one.name;
    }
  }
  for (const CollectorSpec* const collector : collectors()) {
    for (const MetricSpec& metric : collector->metrics) {
      for (const std::string_view selector : split(metric.selectors, ',')) {
        EXPECT_TRUE(options.contains(selector)) << metric.name << ": " << selector;
        if (!metric.option.empty()) {
          EXPECT_TRUE(options[selector].contains(metric.option)) << metric.name << ": " << metric.option;
        }
      }
    }
  }
}

TEST(CatalogTest, DescribesEachMetric) {
  for (const CollectorSpec* const collector : collectors()) {
    for (const MetricSpec& metric : collector->metrics) {
      EXPECT_FALSE(metric.title.empty() || metric.title.ends_with('.')) << metric.name;
      EXPECT_FALSE(metric.unit.empty()) << metric.name;
      EXPECT_TRUE(metric.description.ends_with('.')) << metric.name;
      EXPECT_EQ(metric.description.find(". "), std::string_view::npos) << metric.name << ": more than one sentence";
      EXPECT_FALSE(metric.source.empty() || metric.formula.empty()) << metric.name;
    }
  }
}

TEST(CatalogTest, DescribesASharedOptionInTheSameWords) {
  std::map<std::string_view, const OptionSpec*> seen;
  for (const CollectorSpec* const collector : collectors()) {
    for (const SelectorSpec& selector : collector->selectors) {
      for (const OptionSpec& option : selector.options) {
        const OptionSpec& first = *seen.try_emplace(option.name, &option).first->second;
        EXPECT_EQ(option.description, first.description) << option.name;
        EXPECT_EQ(option.type, first.type) << option.name;
        EXPECT_EQ(option.since, first.since) << option.name;
        EXPECT_EQ(option.count, first.count) << option.name;
      }
    }
  }
}

TEST(CatalogTest, GivesASeriesItsDeclaredUnitKindAndExponent) {
  const Labels labels = {{"disk.io.direction", "read"}};
  EXPECT_EQ(declared_series("system.disk.io", labels),
            (Series{"system.disk.io", labels, "By", Kind::kCounter, true, 0}));
  EXPECT_EQ(declared_series("system.cpu.utilization"),
            (Series{"system.cpu.utilization", {}, "1", Kind::kGauge, true, -4}));
  EXPECT_EQ(find_metric("system.cpu"), nullptr);
}

}  // namespace
}  // namespace monitor::metrics

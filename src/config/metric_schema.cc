// The part of the schema that derives from the declarations of the collectors: selectors and their options.
#include <algorithm>
#include <cassert>

#include "base/clock.h"
#include "config/schema.h"
#include "metrics/catalog/catalog.h"

namespace monitor::config {

namespace {

using metrics::OptionSpec;

constexpr int64_t kDay = 24 * 3600 * kNanosPerSecond;

// The option that every selector has.
constexpr Setting kOwnInterval = {
    .name = "interval",
    .type = SettingType::kDuration,
    .unit = "s",
    .min = 10 * kNanosPerMilli,
    .max = kDay,
    .example = R"("100ms")",
    .since = "0.2.0",
    .description = "Time between two ticks of this metric; overrides the document's interval"};

Setting setting_of(const OptionSpec& option) {
  const bool flag = option.type == OptionSpec::Type::kFlag;
  return {.name = option.name,
          .type = flag ? SettingType::kBoolean : SettingType::kPatterns,
          .default_value = flag ? "false" : "[]",
          .bounds = flag ? "" : "at most 64 texts of 1 to 256 bytes",
          .example = flag ? "true" : R"(["eth*", "en?0"])",
          .since = option.since,
          .description = option.description};
}

std::vector<Selector> make_selectors() {
  std::vector<Selector> result;
  for (const metrics::CollectorSpec* const collector : metrics::collectors()) {
    for (const metrics::SelectorSpec& one : collector->selectors) {
      Selector selector{.name = one.name, .produces = {}, .since = one.since, .description = one.description};
      for (const metrics::MetricSpec* const metric : metrics::metrics_of(one.name)) {
        selector.produces.push_back(metric->name);
      }
      result.push_back(std::move(selector));
    }
  }
  return result;
}

std::vector<MetricOption> make_options() {
  std::vector<MetricOption> result = {{kOwnInterval, {}}};
  for (const metrics::CollectorSpec* const collector : metrics::collectors()) {
    for (const metrics::SelectorSpec& selector : collector->selectors) {
      for (const OptionSpec& option : selector.options) {
        auto at = std::ranges::find(result, option.name, [](const MetricOption& one) { return one.setting.name; });
        if (at == result.end()) at = result.insert(at, {setting_of(option), {}});
        at->selectors.push_back(selector.name);
      }
    }
  }
  return result;
}

}  // namespace

std::span<const Selector> selectors() {
  static const std::vector<Selector> table = make_selectors();
  return table;
}

std::span<const MetricOption> metric_options() {
  static const std::vector<MetricOption> table = make_options();
  return table;
}

bool MetricOption::applies_to(std::string_view selector) const {
  return selectors.empty() || std::find(selectors.begin(), selectors.end(), selector) != selectors.end();
}

const MetricOption& metric_option(std::string_view name) {
  for (const MetricOption& one : metric_options()) {
    if (one.setting.name == name) return one;
  }
  assert(false && "the option is not in the table");
  return metric_options()[0];
}

}  // namespace monitor::config

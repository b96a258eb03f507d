// The part of the schema that derives from the declarations of the collectors: selectors and their options.
#include <algorithm>
#include <cassert>
#include <deque>
#include <string>
#include <utility>

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

// A text that lives as long as the table, which refers to it.
std::string_view kept(std::string text) {
  static std::deque<std::string> texts;
  return texts.emplace_back(std::move(text));
}

Setting setting_of(const OptionSpec& option) {
  Setting setting{.name = option.name, .since = option.since, .description = option.description};
  switch (option.type) {
    case OptionSpec::Type::kFlag:
      setting.type = SettingType::kBoolean;
      setting.default_value = "false";
      setting.example = "true";
      break;
    case OptionSpec::Type::kPatterns:
      setting.type = SettingType::kPatterns;
      setting.default_value = "[]";
      setting.bounds = "at most 64 texts of 1 to 256 bytes";
      setting.example = option.name == "groups" ? R"(["nginx", "postgres*"])" : R"(["eth*", "en?0"])";
      break;
    case OptionSpec::Type::kCount:
      setting.type = SettingType::kCount;
      setting.default_value = kept(std::to_string(option.count.usual));
      setting.min = option.count.min;
      setting.max = option.count.max;
      setting.example = kept(std::to_string(std::min(2 * option.count.usual, option.count.max)));
      break;
  }
  return setting;
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

// Functions of templates that query, and that read what a query has found.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rules/template_arguments.h"

namespace monitor::rules::templates {

namespace {

using Value = TemplateValue;

Result<Value> query_function(Arguments arguments, const TemplateContext& context) {
  const auto expression = text_of(arguments[0]);
  if (!expression) return expression.error();
  if (!context.query) return invalid("there is nothing to query here");
  auto found = context.query(*expression);
  if (!found) return found.error();
  auto list = std::make_shared<std::vector<Value>>();
  for (const query::ResultSeries& series : *found) {
    if (!series.points.empty()) list->push_back(sample_value(series.labels, series.points.back().value));
  }
  return Value{Value::List(std::move(list))};
}

Result<Value> first(Arguments arguments, const TemplateContext& /*context*/) {
  const auto* const list = std::get_if<Value::List>(&arguments[0].data);
  if (list == nullptr) return invalid(fmt::format("got {}, expected a list", arguments[0].type_name()));
  if ((*list)->empty()) return invalid("the list is empty");
  return (*list)->front();
}

const Value* field(const Value& value, const std::string& name) {
  const auto* const map = std::get_if<Value::Map>(&value.data);
  if (map == nullptr || (*map)->kind != TemplateMap::Kind::kFields) return nullptr;
  const auto found = (*map)->values.find(name);
  return found == (*map)->values.end() ? nullptr : &found->second;
}

Result<Value> label_of(const std::string& name, const Value& sample) {
  const Value* const labels = field(sample, "Labels");
  if (labels == nullptr) return invalid(fmt::format("got {}, expected a series of a query", sample.type_name()));
  const auto& map = *std::get<Value::Map>(labels->data);
  const auto found = map.values.find(name);
  return found == map.values.end() ? Value{std::string()} : found->second;
}

Result<Value> label(Arguments arguments, const TemplateContext& /*context*/) {
  const auto name = text_of(arguments[0]);
  if (!name) return name.error();
  return label_of(*name, arguments[1]);
}

Result<Value> strvalue(Arguments arguments, const TemplateContext& /*context*/) {
  return label_of("__value__", arguments[0]);
}

Result<Value> value(Arguments arguments, const TemplateContext& /*context*/) {
  const Value* const found = field(arguments[0], "Value");
  if (found == nullptr) return invalid(fmt::format("got {}, expected a series of a query", arguments[0].type_name()));
  return *found;
}

Result<Value> args(Arguments arguments, const TemplateContext& /*context*/) {
  auto map = std::make_shared<TemplateMap>();
  for (size_t i = 0; i < arguments.size(); ++i) map->values["arg" + std::to_string(i)] = arguments[i];
  return Value{Value::Map(std::move(map))};
}

Result<Value> sort_by_label(Arguments arguments, const TemplateContext& /*context*/) {
  const auto name = text_of(arguments[0]);
  if (!name) return name.error();
  const auto* const list = std::get_if<Value::List>(&arguments[1].data);
  if (list == nullptr) return invalid(fmt::format("got {}, expected a list", arguments[1].type_name()));
  std::vector<std::pair<std::string, Value>> sorted;
  for (const Value& one : **list) {
    auto key = label_of(*name, one);
    if (!key) return key;
    sorted.emplace_back(key->text(), one);
  }
  std::ranges::stable_sort(sorted, [](const auto& a, const auto& b) { return a.first < b.first; });
  auto out = std::make_shared<std::vector<Value>>();
  for (auto& [key, one] : sorted) out->push_back(std::move(one));
  return Value{Value::List(std::move(out))};
}

constexpr std::array kFunctions = std::to_array<Function>({
    {"args", 0, -1, args},
    {"first", 1, 1, first},
    {"label", 2, 2, label},
    {"query", 1, 1, query_function},
    {"sortByLabel", 2, 2, sort_by_label},
    {"strvalue", 1, 1, strvalue},
    {"value", 1, 1, value},
});

}  // namespace

std::span<const Function> query_functions() { return kFunctions; }

}  // namespace monitor::rules::templates

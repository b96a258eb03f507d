#include "rules/template_value.h"

#include "query/json.h"

namespace monitor::rules {

namespace {

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};

}  // namespace

bool TemplateValue::truth() const {
  return std::visit(
      Overloaded{[](std::monostate) { return false; }, [](bool value) { return value; },
                 [](int64_t value) { return value != 0; }, [](double value) { return value != 0; },
                 [](const std::string& value) { return !value.empty(); },
                 [](const List& value) { return !value->empty(); },
                 [](const Map& value) { return value->kind == TemplateMap::Kind::kFields || !value->values.empty(); }},
      data);
}

std::string TemplateValue::text() const {
  return std::visit(
      Overloaded{[](std::monostate) -> std::string { return "<no value>"; },
                 [](bool value) -> std::string { return value ? "true" : "false"; },
                 [](int64_t value) { return std::to_string(value); },
                 [](double value) { return query::value_text(value); }, [](const std::string& value) { return value; },
                 [](const List& value) {
                   std::string out;
                   for (const TemplateValue& one : *value) out += (out.empty() ? "" : " ") + one.text();
                   return "[" + out + "]";
                 },
                 [](const Map& value) {
                   std::string out;
                   for (const auto& [name, one] : value->values)
                     out += (out.empty() ? "" : " ") + name + ":" + one.text();
                   return "map[" + out + "]";
                 }},
      data);
}

std::string_view TemplateValue::type_name() const {
  return std::visit(
      Overloaded{
          [](std::monostate) -> std::string_view { return "<nil>"; }, [](bool) -> std::string_view { return "bool"; },
          [](int64_t) -> std::string_view { return "int"; }, [](double) -> std::string_view { return "float64"; },
          [](const std::string&) -> std::string_view { return "string"; },
          [](const List&) -> std::string_view { return "list"; }, [](const Map&) -> std::string_view { return "map"; }},
      data);
}

TemplateValue labels_value(const query::Labels& labels) {
  auto map = std::make_shared<TemplateMap>();
  map->kind = TemplateMap::Kind::kTexts;
  for (const auto& [name, value] : labels.pairs()) map->values.emplace(name, TemplateValue{value});
  return {TemplateValue::Map(std::move(map))};
}

TemplateValue sample_value(const query::Labels& labels, double value) {
  auto map = std::make_shared<TemplateMap>();
  map->kind = TemplateMap::Kind::kFields;
  map->values.emplace("Labels", labels_value(labels));
  map->values.emplace("Value", TemplateValue{value});
  return {TemplateValue::Map(std::move(map))};
}

}  // namespace monitor::rules

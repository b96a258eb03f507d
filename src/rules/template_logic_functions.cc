// Functions of templates that decide and compare, as those of Go.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "rules/template_arguments.h"

namespace monitor::rules::templates {

namespace {

using Value = TemplateValue;

Result<Value> and_function(Arguments arguments, const TemplateContext& /*context*/) {
  const auto no = std::ranges::find_if(arguments, [](const Value& one) { return !one.truth(); });
  return no == arguments.end() ? arguments.back() : *no;
}
Result<Value> or_function(Arguments arguments, const TemplateContext& /*context*/) {
  const auto yes = std::ranges::find_if(arguments, [](const Value& one) { return one.truth(); });
  return yes == arguments.end() ? arguments.back() : *yes;
}
Result<Value> not_function(Arguments arguments, const TemplateContext& /*context*/) {
  return Value{!arguments[0].truth()};
}

Result<Value> len(Arguments arguments, const TemplateContext& /*context*/) {
  const auto size = [](size_t n) { return Value{static_cast<int64_t>(n)}; };
  if (const auto* const text = std::get_if<std::string>(&arguments[0].data)) return size(text->size());
  if (const auto* const list = std::get_if<Value::List>(&arguments[0].data)) return size((*list)->size());
  if (const auto* const map = std::get_if<Value::Map>(&arguments[0].data)) return size((*map)->values.size());
  return invalid(fmt::format("{} has no length", arguments[0].type_name()));
}

Result<Value> index(Arguments arguments, const TemplateContext& /*context*/) {
  Value value = arguments[0];
  for (const Value& key : arguments.subspan(1)) {
    if (const auto* const map = std::get_if<Value::Map>(&value.data)) {
      const auto name = text_of(key);
      if (!name) return name.error();
      const auto found = (*map)->values.find(*name);
      if (found != (*map)->values.end()) {
        value = Value(found->second);
      } else {
        value = (*map)->kind == TemplateMap::Kind::kTexts ? Value{std::string()} : Value{};
      }
      continue;
    }
    const auto* const at = std::get_if<int64_t>(&key.data);
    const auto* const list = std::get_if<Value::List>(&value.data);
    const auto* const text = std::get_if<std::string>(&value.data);
    const size_t size = list != nullptr ? (*list)->size() : (text != nullptr ? text->size() : 0);
    if (at == nullptr || (list == nullptr && text == nullptr)) return invalid("expected a list and an integer");
    if (*at < 0 || std::cmp_greater_equal(*at, size)) return invalid(fmt::format("index out of range: {}", *at));
    value = list != nullptr
                ? Value((**list)[static_cast<size_t>(*at)])
                : Value{static_cast<int64_t>(static_cast<unsigned char>((*text)[static_cast<size_t>(*at)]))};
  }
  return value;
}

Result<int> compare(const Value& a, const Value& b, bool order) {
  if (a.data.index() != b.data.index()) {
    return invalid(fmt::format("incompatible types for comparison: {} and {}", a.type_name(), b.type_name()));
  }
  const auto sign = [](const auto& x, const auto& y) { return x < y ? -1 : (x == y ? 0 : 1); };
  if (const auto* const x = std::get_if<int64_t>(&a.data)) return sign(*x, std::get<int64_t>(b.data));
  if (const auto* const x = std::get_if<double>(&a.data)) return sign(*x, std::get<double>(b.data));
  if (const auto* const x = std::get_if<std::string>(&a.data)) return sign(*x, std::get<std::string>(b.data));
  if (const auto* const x = std::get_if<bool>(&a.data); x != nullptr && !order) return sign(*x, std::get<bool>(b.data));
  if (a.is_nothing() && !order) return 0;
  return invalid(fmt::format("{} cannot be compared", a.type_name()));
}

Result<Value> eq(Arguments arguments, const TemplateContext& /*context*/) {
  for (const Value& one : arguments.subspan(1)) {
    const auto sign = compare(arguments[0], one, false);
    if (!sign) return sign.error();
    if (*sign == 0) return Value{true};
  }
  return Value{false};
}

template <typename F>
Result<Value> ordered(Arguments arguments, bool order, F holds) {
  const auto sign = compare(arguments[0], arguments[1], order);
  if (!sign) return sign.error();
  return Value{holds(*sign)};
}
Result<Value> ne(Arguments arguments, const TemplateContext& /*context*/) {
  return ordered(arguments, false, [](int sign) { return sign != 0; });
}
Result<Value> lt(Arguments arguments, const TemplateContext& /*context*/) {
  return ordered(arguments, true, [](int sign) { return sign < 0; });
}
Result<Value> le(Arguments arguments, const TemplateContext& /*context*/) {
  return ordered(arguments, true, [](int sign) { return sign <= 0; });
}
Result<Value> gt(Arguments arguments, const TemplateContext& /*context*/) {
  return ordered(arguments, true, [](int sign) { return sign > 0; });
}
Result<Value> ge(Arguments arguments, const TemplateContext& /*context*/) {
  return ordered(arguments, true, [](int sign) { return sign >= 0; });
}

constexpr std::array kFunctions = std::to_array<Function>({
    {"and", 1, -1, and_function},
    {"eq", 2, -1, eq},
    {"ge", 2, 2, ge},
    {"gt", 2, 2, gt},
    {"index", 1, -1, index},
    {"le", 2, 2, le},
    {"len", 1, 1, len},
    {"lt", 2, 2, lt},
    {"ne", 2, 2, ne},
    {"not", 1, 1, not_function},
    {"or", 1, -1, or_function},
});

}  // namespace

std::span<const Function> logic_functions() { return kFunctions; }

}  // namespace monitor::rules::templates

#include "query/ast.h"

namespace monitor::query {

std::string_view type_name(ValueType type) {
  switch (type) {
    case ValueType::kScalar:
      return "a scalar";
    case ValueType::kVector:
      return "an instant vector";
    case ValueType::kMatrix:
      return "a range vector";
    case ValueType::kString:
      return "a string";
  }
  return "unknown";
}

bool is_comparison(BinaryOp op) { return op >= BinaryOp::kEqual && op <= BinaryOp::kGreaterEqual; }
bool is_set_operator(BinaryOp op) { return op >= BinaryOp::kAnd; }

void for_each_selector(const Expression& expression, const std::function<void(const Selector&)>& visit) {
  const auto& node = expression.node;
  if (const auto* const selector = std::get_if<Selector>(&node)) visit(*selector);
  if (const auto* const range = std::get_if<RangeSelector>(&node)) visit(range->selector);
  if (const auto* const subquery = std::get_if<Subquery>(&node)) for_each_selector(*subquery->inner, visit);
  if (const auto* const negation = std::get_if<Negation>(&node)) for_each_selector(*negation->inner, visit);
  if (const auto* const call = std::get_if<Call>(&node)) {
    for (const ExpressionPtr& argument : call->arguments) for_each_selector(*argument, visit);
  }
  if (const auto* const aggregation = std::get_if<Aggregation>(&node)) {
    if (aggregation->parameter != nullptr) for_each_selector(*aggregation->parameter, visit);
    for_each_selector(*aggregation->inner, visit);
  }
  if (const auto* const binary = std::get_if<Binary>(&node)) {
    for_each_selector(*binary->left, visit);
    for_each_selector(*binary->right, visit);
  }
}

}  // namespace monitor::query

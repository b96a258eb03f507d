#include "query/operator_parser.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "query/selector_parser.h"

namespace monitor::query {
namespace {

constexpr std::array<Operator, 16> kOperators = {{{"or", BinaryOp::kOr, 1},
                                                  {"and", BinaryOp::kAnd, 2},
                                                  {"unless", BinaryOp::kUnless, 2},
                                                  {"==", BinaryOp::kEqual, 3},
                                                  {"!=", BinaryOp::kNotEqual, 3},
                                                  {"<", BinaryOp::kLess, 3},
                                                  {"<=", BinaryOp::kLessEqual, 3},
                                                  {">", BinaryOp::kGreater, 3},
                                                  {">=", BinaryOp::kGreaterEqual, 3},
                                                  {"+", BinaryOp::kAdd, 4},
                                                  {"-", BinaryOp::kSubtract, 4},
                                                  {"*", BinaryOp::kMultiply, 5},
                                                  {"/", BinaryOp::kDivide, 5},
                                                  {"%", BinaryOp::kModulo, 5},
                                                  {"atan2", BinaryOp::kAtan2, 5},
                                                  {"^", BinaryOp::kPower, kPowerPrecedence}}};

Status refuse_fill(const TokenStream& tokens) {
  for (const char* const fill : {"fill", "fill_left", "fill_right"}) {
    if (!tokens.at_keyword(fill) || !tokens.at_symbol("(", 1)) continue;
    return tokens.unsupported(tokens.peek().begin, "the experimental modifier " + std::string(fill));
  }
  return {};
}

// group_left (...) or group_right (...), if it is there.
Status parse_grouping_side(TokenStream& tokens, Matching& matching, bool set) {
  const bool left = tokens.at_keyword("group_left");
  if (!left && !tokens.at_keyword("group_right")) return {};
  const size_t begin = tokens.take().begin;
  if (set) return tokens.error(begin, "grouping is not possible with and, or and unless");
  matching.card = left ? Matching::Card::kManyToOne : Matching::Card::kOneToMany;
  if (tokens.at_symbol("(")) {
    auto include = parse_label_list(tokens);
    if (!include) return include.error();
    matching.include = std::move(*include);
  }
  if (auto status = refuse_fill(tokens); !status) return status;
  for (const std::string& label : matching.include) {
    if (matching.on && std::ranges::find(matching.labels, label) != matching.labels.end()) {
      return tokens.error(begin, "the label " + quote_short(label) + " must not be both in on() and in the grouping");
    }
  }
  return {};
}

}  // namespace

const Operator* find_operator(const Token& token) {
  if (token.kind != TokenKind::kOperator && token.kind != TokenKind::kIdentifier) return nullptr;
  const std::string text = lower(token.text);
  const auto* const found = std::ranges::find(kOperators, std::string_view(text), &Operator::text);
  return found == kOperators.end() ? nullptr : found;
}

Status parse_matching(TokenStream& tokens, Matching& matching, bool set, bool& given) {
  if (auto status = refuse_fill(tokens); !status) return status;
  if (!tokens.at_keyword("on") && !tokens.at_keyword("ignoring")) return {};
  given = true;
  matching.on = lower(tokens.take().text) == "on";
  auto labels = parse_label_list(tokens);
  if (!labels) return labels.error();
  matching.labels = std::move(*labels);
  if (auto status = refuse_fill(tokens); !status) return status;
  return parse_grouping_side(tokens, matching, set);
}

Status check_operands(const TokenStream& tokens, const Binary& binary, const Expression& left, const Expression& right,
                      const Token& sign, bool matching) {
  for (const Expression* const operand : {&left, &right}) {
    if (operand->type == ValueType::kScalar || operand->type == ValueType::kVector) continue;
    return tokens.error(operand->begin, "the operator " + quote(sign.text) + " needs scalars or instant vectors, not " +
                                            std::string(type_name(operand->type)));
  }
  const bool vectors = left.type == ValueType::kVector && right.type == ValueType::kVector;
  if (is_set_operator(binary.op) && !vectors) {
    return tokens.error(sign.begin, "the operator " + quote(sign.text) + " needs an instant vector on both sides");
  }
  if (matching && !vectors) {
    return tokens.error(sign.begin, "on() and ignoring() need an instant vector on both sides");
  }
  const bool scalars = left.type == ValueType::kScalar && right.type == ValueType::kScalar;
  if (scalars && is_comparison(binary.op) && !binary.return_bool) {
    return tokens.error(sign.begin, "comparisons between scalars need bool: 1 " + sign.text + " bool 2");
  }
  return {};
}

}  // namespace monitor::query

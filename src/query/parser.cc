#include "query/parser.h"

#include <limits>
#include <utility>

#include "query/aggregation_parser.h"
#include "query/call_parser.h"
#include "query/functions.h"
#include "query/operator_parser.h"
#include "query/selector_parser.h"
#include "query/token_stream.h"

namespace monitor::query {
namespace {

class Parser {
 public:
  explicit Parser(TokenStream tokens) : tokens_(std::move(tokens)) {}

  Result<ExpressionPtr> run() {
    auto expression = parse_expression(0);
    if (!expression) return expression.error();
    if (tokens_.peek().kind != TokenKind::kEnd) return tokens_.unexpected("the query", "an operator or the end");
    return ExpressionPtr(std::move(*expression));
  }

 private:
  using Made = std::unique_ptr<Expression>;

  template <typename Node>
  Made make(ValueType type, size_t begin, Node node) const {
    auto expression = std::make_unique<Expression>();
    expression->node = std::move(node);
    expression->type = type;
    expression->begin = begin;
    expression->end = tokens_.last_end();
    return expression;
  }

  // Pratt's method: an operand, then every operator that binds at least as strongly as asked.
  Result<Made> parse_expression(int precedence) {
    if (++depth_ > kMaxNesting) {
      return tokens_.error(tokens_.peek().begin, "the query nests more than " + std::to_string(kMaxNesting) + " deep");
    }
    auto left = parse_unary();
    while (left) {
      const Operator* const op = find_operator(tokens_.peek());
      if (op == nullptr || op->precedence < precedence) break;
      left = parse_binary(std::move(*left), *op);
    }
    --depth_;
    return left;
  }

  Result<Made> parse_unary() {
    const size_t begin = tokens_.peek().begin;
    const bool minus = tokens_.at_symbol("-");
    if (!minus && !tokens_.at_symbol("+")) return parse_postfix();
    tokens_.take();
    auto inner = parse_expression(kPowerPrecedence);
    if (!inner) return inner;
    const ValueType type = (*inner)->type;
    if (type != ValueType::kScalar && type != ValueType::kVector) {
      return tokens_.error(begin, "a sign needs a scalar or an instant vector, not " + std::string(type_name(type)));
    }
    if (!minus) return inner;
    return make(type, begin, Negation{std::move(*inner)});
  }

  Result<Made> parse_postfix() {
    auto operand = parse_shifted();
    if (operand && (tokens_.at_keyword("anchored") || tokens_.at_keyword("smoothed"))) {
      return tokens_.unsupported(tokens_.peek().begin, "the experimental modifier " + lower(tokens_.peek().text));
    }
    return operand;
  }

  Result<Made> parse_shifted() {
    auto operand = parse_primary();
    if (!operand) return operand;
    if (tokens_.at_symbol("[")) operand = parse_range(std::move(*operand));
    if (operand && at_time_shift()) operand = shift_time(std::move(*operand));
    if (!operand || !tokens_.at_symbol("[")) return operand;
    // A subquery over what was shifted: up offset 5m [1h:1m].
    operand = parse_range(std::move(*operand));
    return operand && at_time_shift() ? shift_time(std::move(*operand)) : std::move(operand);
  }

  bool at_time_shift() const { return tokens_.at_symbol("@") || tokens_.at_keyword("offset"); }

  // At "[".
  Result<Made> parse_range(Made operand) {
    const size_t begin = tokens_.peek().begin;
    auto brackets = parse_brackets(tokens_);
    if (!brackets) return brackets.error();
    if (brackets->subquery) {
      if (operand->type != ValueType::kVector && operand->type != ValueType::kScalar) {
        return tokens_.error(
            begin, "a subquery needs an instant vector or a scalar, not " + std::string(type_name(operand->type)));
      }
      const size_t from = operand->begin;
      return make(ValueType::kMatrix, from,
                  Subquery{ExpressionPtr(std::move(operand)), brackets->range_ms, brackets->step_ms, {}});
    }
    auto* const selector = std::get_if<Selector>(&operand->node);
    if (selector == nullptr || operand->parenthesized) {
      return tokens_.error(begin, "a range is possible on a selector only; for an expression write a subquery, [5m:]");
    }
    if (selector->shift.at != TimeShift::At::kEvaluation || selector->shift.offset_ms != 0) {
      return tokens_.error(begin, "the range must come before \"offset\" and \"@\"");
    }
    const size_t from = operand->begin;
    return make(ValueType::kMatrix, from, RangeSelector{std::move(*selector), brackets->range_ms});
  }

  Result<Made> shift_time(Made operand) {
    const size_t begin = tokens_.peek().begin;
    TimeShift* target = nullptr;
    if (!operand->parenthesized) {
      if (auto* const selector = std::get_if<Selector>(&operand->node)) target = &selector->shift;
      if (auto* const range = std::get_if<RangeSelector>(&operand->node)) target = &range->selector.shift;
      if (auto* const subquery = std::get_if<Subquery>(&operand->node)) target = &subquery->shift;
    }
    if (target == nullptr) {
      return tokens_.error(begin, "\"offset\" and \"@\" are possible on a selector or a subquery only");
    }
    auto shift = parse_time_shift(tokens_);
    if (!shift) return shift.error();
    *target = *shift;
    operand->end = tokens_.last_end();
    return operand;
  }

  Result<Made> parse_primary() {
    const Token token = tokens_.peek();
    switch (token.kind) {
      case TokenKind::kNumber:
        tokens_.take();
        return make(ValueType::kScalar, token.begin, Number{token.number});
      case TokenKind::kDuration:
        tokens_.take();
        return make(ValueType::kScalar, token.begin, Number{static_cast<double>(token.duration_ms) / 1000});
      case TokenKind::kString:
        tokens_.take();
        return make(ValueType::kString, token.begin, Text{token.text});
      case TokenKind::kIdentifier:
        return parse_word();
      default:
        break;
    }
    if (tokens_.at_symbol("{")) return parse_selector_here();
    if (!tokens_.take_symbol("(")) return tokens_.unexpected("an expression", "a selector, a number or a function");
    auto inner = parse_expression(0);
    if (!inner) return inner;
    if (auto close = tokens_.expect(")", "parentheses"); !close) return close.error();
    (*inner)->parenthesized = true;
    (*inner)->begin = token.begin;
    (*inner)->end = tokens_.last_end();
    return inner;
  }

  Result<Made> parse_word() {
    const Token token = tokens_.peek();
    const std::string word = lower(token.text);
    const AggregateSpec* const aggregate = find_aggregate(word);
    const bool grouped = tokens_.at_keyword("by", 1) || tokens_.at_keyword("without", 1);
    const bool called = tokens_.at_symbol("(", 1);
    if (aggregate != nullptr && (grouped || called)) return parse_aggregation(*aggregate);
    if (called) return parse_call();
    if (word == "inf" || word == "nan") {
      tokens_.take();
      const double value =
          word == "inf" ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
      return make(ValueType::kScalar, token.begin, Number{value});
    }
    return parse_selector_here();
  }

  Result<Made> parse_selector_here() {
    const size_t begin = tokens_.peek().begin;
    auto matchers = parse_matchers(tokens_);
    if (!matchers) return matchers.error();
    return make(ValueType::kVector, begin, Selector{std::move(*matchers), {}});
  }

  // At "(".
  Result<std::vector<ExpressionPtr>> parse_arguments(std::string_view where) {
    tokens_.take();
    std::vector<ExpressionPtr> arguments;
    if (tokens_.take_symbol(")")) return arguments;
    while (true) {
      auto argument = parse_expression(0);
      if (!argument) return argument.error();
      arguments.push_back(std::move(*argument));
      if (tokens_.take_symbol(")")) return arguments;
      if (auto comma = tokens_.expect(",", where); !comma) return comma.error();
    }
  }

  Result<Made> parse_call() {
    const Token name = tokens_.take();
    auto known = known_function(tokens_, name);
    if (!known) return known.error();
    const FunctionSpec& function = **known;
    auto arguments = parse_arguments("a function call");
    if (!arguments) return arguments.error();
    if (auto status = check_arguments(tokens_, function, *arguments, name); !status) return status.error();
    return make(function.result, name.begin, Call{&function, std::move(*arguments), name.begin});
  }

  Result<Made> parse_aggregation(const AggregateSpec& spec) {
    const Token name = tokens_.take();
    Aggregation aggregation{.op = spec.op};
    bool grouped = false;
    if (auto status = parse_grouping(tokens_, aggregation, grouped); !status) return status.error();
    if (!tokens_.at_symbol("(")) return tokens_.unexpected("an aggregation", "\"(\"");
    auto arguments = parse_arguments("an aggregation");
    if (!arguments) return arguments.error();
    if (auto status = parse_grouping(tokens_, aggregation, grouped); !status) return status.error();
    const size_t wanted = spec.has_parameter ? 2 : 1;
    if (arguments->size() != wanted) {
      return tokens_.error(name.begin, std::string(spec.name) + " takes " + std::to_string(wanted) +
                                           " arguments, not " + std::to_string(arguments->size()));
    }
    aggregation.inner = std::move(arguments->back());
    if (spec.has_parameter) aggregation.parameter = std::move(arguments->front());
    if (auto status = check_aggregation(tokens_, aggregation, spec); !status) return status.error();
    return make(ValueType::kVector, name.begin, std::move(aggregation));
  }

  Result<Made> parse_binary(Made left, const Operator& op) {
    const Token sign = tokens_.take();
    // A chain of operators is a tree as deep as the chain is long.
    if (++operators_ > kMaxOperators) {
      return tokens_.error(sign.begin, "the query has more than " + std::to_string(kMaxOperators) + " operators");
    }
    Binary binary{.op = op.op};
    const bool set = is_set_operator(op.op);
    if (set) binary.matching.card = Matching::Card::kManyToMany;
    if (tokens_.at_keyword("bool")) {
      if (!is_comparison(op.op)) return tokens_.error(tokens_.peek().begin, "bool is possible on comparisons only");
      tokens_.take();
      binary.return_bool = true;
    }
    bool matching = false;
    if (auto status = parse_matching(tokens_, binary.matching, set, matching); !status) return status.error();
    // 2 ^ 3 ^ 2 is 2 ^ (3 ^ 2); all others group from the left.
    auto right = parse_expression(op.op == BinaryOp::kPower ? op.precedence : op.precedence + 1);
    if (!right) return right;
    if (auto status = check_operands(tokens_, binary, *left, **right, sign, matching); !status) return status.error();
    const bool vector = left->type == ValueType::kVector || (*right)->type == ValueType::kVector;
    const size_t begin = left->begin;
    binary.left = std::move(left);
    binary.right = std::move(*right);
    return make(vector ? ValueType::kVector : ValueType::kScalar, begin, std::move(binary));
  }

  TokenStream tokens_;
  int depth_ = 0;
  int operators_ = 0;
};

Result<std::vector<Token>> tokens_of(std::string_view query) {
  if (query.size() > kMaxQueryBytes) {
    return Error(Code::kInvalidArgument, "the query has " + std::to_string(query.size()) + " bytes; at most " +
                                             std::to_string(kMaxQueryBytes) + " are accepted");
  }
  return tokenize(query);
}

}  // namespace

Result<ExpressionPtr> parse(std::string_view query) {
  auto tokens = tokens_of(query);
  if (!tokens) return tokens.error();
  if (tokens->size() == 1) return error_at(query, 0, "the query is empty");
  return Parser(TokenStream(query, std::move(*tokens))).run();
}

Result<std::vector<Matcher>> parse_selector(std::string_view selector) {
  auto tokens = tokens_of(selector);
  if (!tokens) return tokens.error();
  TokenStream stream(selector, std::move(*tokens));
  if (stream.peek().kind != TokenKind::kIdentifier && !stream.at_symbol("{")) {
    return stream.unexpected("a selector", "a metric's name or \"{\"");
  }
  auto matchers = parse_matchers(stream);
  if (matchers && stream.peek().kind != TokenKind::kEnd) return stream.unexpected("a selector", "the end");
  return matchers;
}

}  // namespace monitor::query

#include "query/parser.h"

#include <array>
#include <limits>
#include <utility>

#include "query/functions.h"
#include "query/selector_parser.h"
#include "query/token_stream.h"

namespace monitor::query {
namespace {

struct Operator {
  std::string_view text;
  BinaryOp op;
  int precedence;
};

constexpr int kPowerPrecedence = 6;
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

struct Aggregate {
  std::string_view name;
  AggregateOp op;
  bool has_parameter;
};

constexpr std::array<Aggregate, 12> kAggregates = {{{"sum", AggregateOp::kSum, false},
                                                    {"avg", AggregateOp::kAvg, false},
                                                    {"min", AggregateOp::kMin, false},
                                                    {"max", AggregateOp::kMax, false},
                                                    {"count", AggregateOp::kCount, false},
                                                    {"group", AggregateOp::kGroup, false},
                                                    {"stddev", AggregateOp::kStddev, false},
                                                    {"stdvar", AggregateOp::kStdvar, false},
                                                    {"topk", AggregateOp::kTopk, true},
                                                    {"bottomk", AggregateOp::kBottomk, true},
                                                    {"quantile", AggregateOp::kQuantile, true},
                                                    {"count_values", AggregateOp::kCountValues, true}}};

const Operator* find_operator(const Token& token) {
  if (token.kind != TokenKind::kOperator && token.kind != TokenKind::kIdentifier) return nullptr;
  const std::string text = lower(token.text);
  const auto* const found = std::ranges::find(kOperators, std::string_view(text), &Operator::text);
  return found == kOperators.end() ? nullptr : found;
}

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
    const auto* const aggregate = std::ranges::find(kAggregates, std::string_view(word), &Aggregate::name);
    const bool grouped = tokens_.at_keyword("by", 1) || tokens_.at_keyword("without", 1);
    const bool called = tokens_.at_symbol("(", 1);
    if (aggregate != kAggregates.end() && (grouped || called)) return parse_aggregation(*aggregate);
    if ((word == "limitk" || word == "limit_ratio") && (grouped || called)) {
      return tokens_.unsupported(token.begin, "the experimental aggregation " + word);
    }
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
    const FunctionSpec* const function = find_function(name.text);
    if (function == nullptr && unsupported_function(name.text)) {
      return tokens_.unsupported(name.begin, "the function " + name.text + "()");
    }
    if (function == nullptr) {
      const auto nearest = nearest_function(name.text);
      return tokens_.error(
          name.begin, "unknown function " + quote(name.text) + (nearest ? "; did you mean " + *nearest + "()?" : ""));
    }
    auto arguments = parse_arguments("a function call");
    if (!arguments) return arguments.error();
    if (auto status = check_arguments(*function, *arguments, name); !status) return status.error();
    return make(function->result, name.begin, Call{function, std::move(*arguments)});
  }

  Status check_arguments(const FunctionSpec& function, const std::vector<ExpressionPtr>& arguments,
                         const Token& name) const {
    const size_t least = function.least_arguments();
    const bool endless = function.optional == FunctionSpec::kRepeats;
    const size_t most = function.arguments.size();
    if (arguments.size() < least || (!endless && arguments.size() > most)) {
      const std::string expected = endless         ? "at least " + std::to_string(least)
                                   : least == most ? std::to_string(least)
                                                   : std::to_string(least) + " to " + std::to_string(most);
      return tokens_.error(name.begin,
                           name.text + "() takes " + expected + " arguments, not " + std::to_string(arguments.size()));
    }
    for (size_t i = 0; i < arguments.size(); ++i) {
      const ValueType wanted = function.arguments[std::min(i, most - 1)];
      if (arguments[i]->type == wanted) continue;
      return tokens_.error(arguments[i]->begin, "argument " + std::to_string(i + 1) + " of " + name.text +
                                                    "() must be " + std::string(type_name(wanted)) + ", not " +
                                                    std::string(type_name(arguments[i]->type)));
    }
    return {};
  }

  // by (...) or without (...), if it is there and was not before.
  Status parse_grouping(Aggregation& aggregation, bool& grouped) {
    if (grouped || (!tokens_.at_keyword("by") && !tokens_.at_keyword("without"))) return {};
    grouped = true;
    aggregation.without = lower(tokens_.take().text) == "without";
    auto labels = parse_label_list(tokens_);
    if (!labels) return labels.error();
    aggregation.labels = std::move(*labels);
    return {};
  }

  Result<Made> parse_aggregation(const Aggregate& aggregate) {
    const Token name = tokens_.take();
    Aggregation aggregation{.op = aggregate.op};
    bool grouped = false;
    if (auto status = parse_grouping(aggregation, grouped); !status) return status.error();
    if (!tokens_.at_symbol("(")) return tokens_.unexpected("an aggregation", "\"(\"");
    auto arguments = parse_arguments("an aggregation");
    if (!arguments) return arguments.error();
    if (auto status = parse_grouping(aggregation, grouped); !status) return status.error();
    const size_t wanted = aggregate.has_parameter ? 2 : 1;
    if (arguments->size() != wanted) {
      return tokens_.error(name.begin, std::string(aggregate.name) + " takes " + std::to_string(wanted) +
                                           " arguments, not " + std::to_string(arguments->size()));
    }
    aggregation.inner = std::move(arguments->back());
    if (aggregate.has_parameter) aggregation.parameter = std::move(arguments->front());
    if (auto status = check_aggregation(aggregation, aggregate); !status) return status.error();
    return make(ValueType::kVector, name.begin, std::move(aggregation));
  }

  Status check_aggregation(const Aggregation& aggregation, const Aggregate& aggregate) const {
    const auto require = [&](const Expression& argument, ValueType wanted) -> Status {
      if (argument.type == wanted) return {};
      return tokens_.error(argument.begin, std::string(aggregate.name) + " needs " + std::string(type_name(wanted)) +
                                               " here, not " + std::string(type_name(argument.type)));
    };
    if (aggregate.has_parameter) {
      const ValueType wanted = aggregate.op == AggregateOp::kCountValues ? ValueType::kString : ValueType::kScalar;
      if (auto status = require(*aggregation.parameter, wanted); !status) return status;
    }
    return require(*aggregation.inner, ValueType::kVector);
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
    if (auto status = parse_matching(binary.matching, set, matching); !status) return status.error();
    // 2 ^ 3 ^ 2 is 2 ^ (3 ^ 2); all others group from the left.
    auto right = parse_expression(op.op == BinaryOp::kPower ? op.precedence : op.precedence + 1);
    if (!right) return right;
    if (auto status = check_operands(binary, *left, **right, sign, matching); !status) return status.error();
    const bool vector = left->type == ValueType::kVector || (*right)->type == ValueType::kVector;
    const size_t begin = left->begin;
    binary.left = std::move(left);
    binary.right = std::move(*right);
    return make(vector ? ValueType::kVector : ValueType::kScalar, begin, std::move(binary));
  }

  Status parse_matching(Matching& matching, bool set, bool& given) {
    if (auto status = refuse_fill(); !status) return status;
    if (!tokens_.at_keyword("on") && !tokens_.at_keyword("ignoring")) return {};
    given = true;
    matching.on = lower(tokens_.take().text) == "on";
    auto labels = parse_label_list(tokens_);
    if (!labels) return labels.error();
    matching.labels = std::move(*labels);
    if (auto status = refuse_fill(); !status) return status;
    return parse_grouping_side(matching, set);
  }

  Status refuse_fill() const {
    for (const char* const fill : {"fill", "fill_left", "fill_right"}) {
      if (!tokens_.at_keyword(fill) || !tokens_.at_symbol("(", 1)) continue;
      return tokens_.unsupported(tokens_.peek().begin, "the experimental modifier " + std::string(fill));
    }
    return {};
  }

  // group_left (...) or group_right (...), if it is there.
  Status parse_grouping_side(Matching& matching, bool set) {
    const bool left = tokens_.at_keyword("group_left");
    if (!left && !tokens_.at_keyword("group_right")) return {};
    const size_t begin = tokens_.take().begin;
    if (set) return tokens_.error(begin, "grouping is not possible with and, or and unless");
    matching.card = left ? Matching::Card::kManyToOne : Matching::Card::kOneToMany;
    if (tokens_.at_symbol("(")) {
      auto include = parse_label_list(tokens_);
      if (!include) return include.error();
      matching.include = std::move(*include);
    }
    if (auto status = refuse_fill(); !status) return status;
    for (const std::string& label : matching.include) {
      if (matching.on && std::ranges::find(matching.labels, label) != matching.labels.end()) {
        return tokens_.error(begin, "the label " + quote(label) + " must not be both in on() and in the grouping");
      }
    }
    return {};
  }

  Status check_operands(const Binary& binary, const Expression& left, const Expression& right, const Token& sign,
                        bool matching) const {
    for (const Expression* const operand : {&left, &right}) {
      if (operand->type == ValueType::kScalar || operand->type == ValueType::kVector) continue;
      return tokens_.error(operand->begin, "the operator " + quote(sign.text) +
                                               " needs scalars or instant vectors, not " +
                                               std::string(type_name(operand->type)));
    }
    const bool vectors = left.type == ValueType::kVector && right.type == ValueType::kVector;
    if (is_set_operator(binary.op) && !vectors) {
      return tokens_.error(sign.begin, "the operator " + quote(sign.text) + " needs an instant vector on both sides");
    }
    if (matching && !vectors) {
      return tokens_.error(sign.begin, "on() and ignoring() need an instant vector on both sides");
    }
    const bool scalars = left.type == ValueType::kScalar && right.type == ValueType::kScalar;
    if (scalars && is_comparison(binary.op) && !binary.return_bool) {
      return tokens_.error(sign.begin, "comparisons between scalars need bool: 1 " + sign.text + " bool 2");
    }
    return {};
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

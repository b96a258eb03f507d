// The tree of a parsed query. Immutable after parsing; may be shared by threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "query/matcher.h"

namespace monitor::query {

enum class ValueType : uint8_t { kScalar, kVector, kMatrix, kString };

// "a scalar", "an instant vector", "a range vector", "a string"
std::string_view type_name(ValueType type);

struct Expression;
using ExpressionPtr = std::unique_ptr<const Expression>;
struct FunctionSpec;

// Shifts the time that a selector or subquery reads: "@ TIME", "@ start()", "@ end()", and "offset DURATION".
struct TimeShift {
  enum class At : uint8_t { kEvaluation, kFixed, kStart, kEnd };
  At at = At::kEvaluation;
  int64_t at_ms = 0;
  int64_t offset_ms = 0;
};

struct Number {
  double value = 0;
};
struct Text {
  std::string value;
};
struct Selector {
  std::vector<Matcher> matchers;  // with one on __name__ if the selector names a metric
  TimeShift shift;
};
struct RangeSelector {
  Selector selector;
  int64_t range_ms = 0;
};
struct Subquery {
  ExpressionPtr inner;
  int64_t range_ms = 0;
  std::optional<int64_t> step_ms;  // nothing: the default of the evaluation
  TimeShift shift;
};
struct Call {
  const FunctionSpec* function = nullptr;
  std::vector<ExpressionPtr> arguments;
  size_t begin = 0;  // bytes from the start of the query
};
enum class AggregateOp : uint8_t {
  kSum,
  kAvg,
  kMin,
  kMax,
  kCount,
  kGroup,
  kStddev,
  kStdvar,
  kTopk,
  kBottomk,
  kLimitk,
  kLimitRatio,
  kQuantile,
  kCountValues
};
struct Aggregation {
  AggregateOp op = AggregateOp::kSum;
  ExpressionPtr inner;
  ExpressionPtr parameter;  // of topk, bottomk, limitk, limit_ratio, quantile (scalar) and count_values (string)
  std::vector<std::string> labels;
  bool without = false;
};
enum class BinaryOp : uint8_t {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kPower,
  kAtan2,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAnd,
  kOr,
  kUnless
};
bool is_comparison(BinaryOp op);
bool is_set_operator(BinaryOp op);

// Which series of two vectors belong together.
struct Matching {
  enum class Card : uint8_t { kOneToOne, kManyToOne, kOneToMany, kManyToMany };
  Card card = Card::kOneToOne;
  bool on = false;  // only these labels; otherwise all but these
  std::vector<std::string> labels;
  std::vector<std::string> include;  // of group_left and group_right
};
struct Binary {
  BinaryOp op = BinaryOp::kAdd;
  ExpressionPtr left;
  ExpressionPtr right;
  bool return_bool = false;
  Matching matching;
};
struct Negation {
  ExpressionPtr inner;
};

struct Expression {
  std::variant<Number, Text, Selector, RangeSelector, Subquery, Call, Aggregation, Binary, Negation> node;
  ValueType type = ValueType::kScalar;
  size_t begin = 0;  // bytes from the start of the query
  size_t end = 0;
  bool parenthesized = false;
};

// Calls `call` with every selector of the expression, including those in ranges and subqueries.
void for_each_selector(const Expression& expression, const std::function<void(const Selector&)>& visit);

}  // namespace monitor::query

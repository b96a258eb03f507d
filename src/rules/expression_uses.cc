#include "rules/expression_uses.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "query/functions.h"
#include "query/labels.h"
#include "unusual/series_scorer.h"

namespace monitor::rules {

namespace {

using query::AggregateOp;
using query::BinaryOp;
using query::Expression;
using query::ExpressionPtr;

constexpr int64_t kLookbackMs = 300'000;

// Calls with each part of the expression itself.
template <typename Visit>
void for_each_part(const Expression& expression, Visit visit) {
  const auto inner = [&](const ExpressionPtr& one) {
    if (one) visit(*one);
  };
  if (const auto* const subquery = std::get_if<query::Subquery>(&expression.node)) inner(subquery->inner);
  if (const auto* const negation = std::get_if<query::Negation>(&expression.node)) inner(negation->inner);
  if (const auto* const call = std::get_if<query::Call>(&expression.node)) {
    for (const ExpressionPtr& one : call->arguments) inner(one);
  }
  if (const auto* const aggregation = std::get_if<query::Aggregation>(&expression.node)) {
    inner(aggregation->inner);
    inner(aggregation->parameter);
  }
  if (const auto* const binary = std::get_if<query::Binary>(&expression.node)) {
    inner(binary->left);
    inner(binary->right);
  }
}

// Whether values of a metric of this name are shares from 0 to 1.
bool is_share(std::string_view name) {
  return name.ends_with("_utilization_ratio") || name.ends_with(".utilization") || name == "system.pressure.stall" ||
         name == "system_pressure_stall_ratio" || name.ends_with("()");
}

// This program's functions whose values are shares.
bool gives_share(std::string_view function) {
  return function == "unusual" || function == "unusual_fraction" || function == "late_fraction";
}

// The metric, or the function ("unusual()"), whose values the expression has, unchanged in their bounds; nothing if it
// computes others.
std::optional<std::string> bounded_by(const Expression& expression) {
  static constexpr std::array<std::string_view, 5> kKeep = {"avg_over_time", "max_over_time", "min_over_time",
                                                            "last_over_time", "first_over_time"};
  if (const auto* const selector = std::get_if<query::Selector>(&expression.node)) {
    return metric_of(selector->matchers);
  }
  if (const auto* const range = std::get_if<query::RangeSelector>(&expression.node)) {
    return metric_of(range->selector.matchers);
  }
  if (const auto* const subquery = std::get_if<query::Subquery>(&expression.node)) return bounded_by(*subquery->inner);
  if (const auto* const call = std::get_if<query::Call>(&expression.node)) {
    if (gives_share(call->function->name)) return std::string(call->function->name) + "()";
    if (std::ranges::find(kKeep, call->function->name) == kKeep.end()) return std::nullopt;
    return bounded_by(*call->arguments.front());
  }
  if (const auto* const aggregation = std::get_if<query::Aggregation>(&expression.node)) {
    const bool keeps = aggregation->op == AggregateOp::kAvg || aggregation->op == AggregateOp::kMin ||
                       aggregation->op == AggregateOp::kMax || aggregation->op == AggregateOp::kTopk ||
                       aggregation->op == AggregateOp::kBottomk;
    return keeps ? bounded_by(*aggregation->inner) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<double> number_of(const Expression& expression) {
  if (const auto* const number = std::get_if<query::Number>(&expression.node)) return number->value;
  return std::nullopt;
}

BinaryOp mirrored(BinaryOp op) {
  switch (op) {
    case BinaryOp::kLess:
      return BinaryOp::kGreater;
    case BinaryOp::kLessEqual:
      return BinaryOp::kGreaterEqual;
    case BinaryOp::kGreater:
      return BinaryOp::kLess;
    case BinaryOp::kGreaterEqual:
      return BinaryOp::kLessEqual;
    default:
      return op;
  }
}

// Whether no share fulfils it.
bool impossible(BinaryOp op, double limit) {
  if (op == BinaryOp::kGreater) return limit >= 1;
  if (op == BinaryOp::kGreaterEqual || op == BinaryOp::kEqual) return limit > 1;
  return (op == BinaryOp::kLess && limit <= 0) || (op == BinaryOp::kLessEqual && limit < 0);
}

class Collector {
 public:
  void collect(const Expression& expression, bool absent, const std::string& function) {
    if (const auto* const selector = std::get_if<query::Selector>(&expression.node)) {
      uses_.selectors.push_back({selector, expression.begin, 0, absent, ""});
    } else if (const auto* const range = std::get_if<query::RangeSelector>(&expression.node)) {
      uses_.selectors.push_back({&range->selector, expression.begin, range->range_ms, absent, function});
    } else if (const auto* const subquery = std::get_if<query::Subquery>(&expression.node)) {
      if (subquery->step_ms && subquery->range_ms < 2 * *subquery->step_ms) {
        uses_.narrow.push_back({expression.begin, subquery->range_ms, *subquery->step_ms});
      }
    } else if (const auto* const binary = std::get_if<query::Binary>(&expression.node)) {
      compare(expression, *binary);
    }
    std::string inside;
    if (const auto* const call = std::get_if<query::Call>(&expression.node)) {
      inside = call->function->name;
      if (call->function->special == query::SpecialFunction::kOwn) note_agents(expression, *call);
      if (call->function->special == query::SpecialFunction::kUnusual) note_scores(expression, *call);
      absent = absent || inside.starts_with("absent");
    }
    for_each_part(expression, [&](const Expression& part) { collect(part, absent, inside); });
  }

  ExpressionUses take() { return std::move(uses_); }

 private:
  void note_agents(const Expression& expression, const query::Call& call) {
    AgentUse use{expression.begin, std::string(call.function->name), {}};
    for (const ExpressionPtr& one : call.arguments) {
      if (const auto* const text = std::get_if<query::Text>(&one->node)) use.texts.push_back(text->value);
    }
    uses_.agents.push_back(std::move(use));
  }

  void note_scores(const Expression& expression, const query::Call& call) {
    const bool all = call.arguments.empty();
    uses_.scores.push_back(
        {expression.begin, all ? nullptr : std::get_if<query::Selector>(&call.arguments.front()->node)});
  }

  void compare(const Expression& expression, const query::Binary& binary) {
    if (!query::is_comparison(binary.op)) return;
    const auto right = number_of(*binary.right);
    const auto left = number_of(*binary.left);
    if (left.has_value() == right.has_value()) return;
    const auto metric = bounded_by(right ? *binary.left : *binary.right);
    const BinaryOp op = right ? binary.op : mirrored(binary.op);
    const double limit = right ? *right : *left;
    if (metric && is_share(*metric) && impossible(op, limit)) {
      uses_.impossible.push_back({expression.begin, *metric, limit});
    }
  }

  ExpressionUses uses_;
};

int64_t looks_back(const query::TimeShift& shift, int64_t range_ms) {
  return std::max<int64_t>(shift.offset_ms, 0) + std::max(range_ms, kLookbackMs);
}

}  // namespace

ExpressionUses uses_of(const Expression& expression) {
  Collector collector;
  collector.collect(expression, false, "");
  return collector.take();
}

bool asks_of_agents(const Expression& expression) {
  const auto* const call = std::get_if<query::Call>(&expression.node);
  bool asks = call != nullptr && call->function->special == query::SpecialFunction::kOwn;
  for_each_part(expression, [&asks](const Expression& part) { asks = asks || asks_of_agents(part); });
  return asks;
}

int64_t reach_ms(const Expression& expression) {
  int64_t inside = 0;
  for_each_part(expression, [&](const Expression& part) { inside = std::max(inside, reach_ms(part)); });
  if (const auto* const selector = std::get_if<query::Selector>(&expression.node)) {
    return looks_back(selector->shift, 0);
  }
  if (const auto* const range = std::get_if<query::RangeSelector>(&expression.node)) {
    return looks_back(range->selector.shift, range->range_ms);
  }
  if (const auto* const subquery = std::get_if<query::Subquery>(&expression.node)) {
    return inside + looks_back(subquery->shift, subquery->range_ms);
  }
  const auto* const call = std::get_if<query::Call>(&expression.node);
  if (call != nullptr && call->function->special == query::SpecialFunction::kUnusual) {
    return std::max(inside, kLookbackMs) + unusual::kReachMinutes * 60'000;
  }
  return inside;
}

const Expression& without_filters(const Expression& expression) {
  const auto* const binary = std::get_if<query::Binary>(&expression.node);
  if (binary == nullptr) return expression;
  if (binary->op == BinaryOp::kAnd || binary->op == BinaryOp::kUnless) return without_filters(*binary->left);
  if (!query::is_comparison(binary->op) || binary->return_bool) return expression;
  if (number_of(*binary->right)) return without_filters(*binary->left);
  return number_of(*binary->left) ? without_filters(*binary->right) : expression;
}

std::set<std::string> labels_in(std::string_view text) {
  std::set<std::string> names;
  for (const std::string_view mark : {std::string_view("$labels."), std::string_view(".Labels.")}) {
    for (size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + 1)) {
      const std::string_view rest = text.substr(at + mark.size());
      const size_t end = std::min(
          rest.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), rest.size());
      if (end > 0) names.emplace(rest.substr(0, end));
    }
  }
  return names;
}

std::string metric_of(const std::vector<query::Matcher>& matchers) {
  for (const query::Matcher& one : matchers) {
    if (one.label() == query::kNameLabel && one.kind() == query::Matcher::Kind::kEqual) return one.value();
  }
  return {};
}

}  // namespace monitor::rules

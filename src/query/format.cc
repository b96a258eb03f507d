#include "query/format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "query/duration.h"
#include "query/functions.h"
#include "query/labels.h"

namespace monitor::query {
namespace {

constexpr std::array<std::string_view, 14> kAggregateNames = {
    "sum",    "avg",  "min",     "max",    "count",       "group",    "stddev",
    "stdvar", "topk", "bottomk", "limitk", "limit_ratio", "quantile", "count_values"};
constexpr std::array<std::string_view, 16> kOperatorNames = {
    "+", "-", "*", "/", "%", "^", "atan2", "==", "!=", "<", "<=", ">", ">=", "and", "or", "unless"};

std::string listed(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) {
    out += (out.empty() ? "" : ", ") + (plain_label_name(text) ? text : quote(text));
  }
  return out;
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 400> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  return error == std::errc() ? std::string(buffer.data(), end) : std::to_string(value);
}

std::string shift_text(const TimeShift& shift) {
  std::string out;
  if (shift.at == TimeShift::At::kStart) out += " @ start()";
  if (shift.at == TimeShift::At::kEnd) out += " @ end()";
  if (shift.at == TimeShift::At::kFixed) {
    const std::string decimals = std::to_string(std::abs(shift.at_ms % 1000));
    const char* const sign = shift.at_ms < 0 && shift.at_ms > -1000 ? "-" : "";
    out += " @ " + std::string(sign) + std::to_string(shift.at_ms / 1000) + "." +
           std::string(3 - decimals.size(), '0') + decimals;
  }
  if (shift.offset_ms != 0) out += " offset " + format_duration_ms(shift.offset_ms);
  return out;
}

std::string selector_text(const Selector& selector) {
  std::string name;
  std::vector<std::string> conditions;
  for (const Matcher& matcher : selector.matchers) {
    const bool names = matcher.label() == kNameLabel && matcher.kind() == Matcher::Kind::kEqual && name.empty() &&
                       !matcher.value().empty();
    if (names) {
      name = matcher.value();
    } else {
      conditions.push_back(matcher.to_string());
    }
  }
  std::ranges::sort(conditions);
  const bool plain = plain_metric_name(name);
  if (!plain && !name.empty()) conditions.insert(conditions.begin(), quote(name));
  std::string inside;
  for (const std::string& condition : conditions) inside += (inside.empty() ? "" : ",") + condition;
  if (inside.empty() && plain) return name;
  return (plain ? name : "") + "{" + inside + "}";
}

std::string grouping_text(const Aggregation& aggregation) {
  if (!aggregation.without && aggregation.labels.empty()) return "";
  return std::string(aggregation.without ? " without" : " by") + " (" + listed(aggregation.labels) + ") ";
}

std::string matching_text(const Binary& binary) {
  const Matching& matching = binary.matching;
  std::string out;
  if (matching.on || !matching.labels.empty()) {
    out += std::string(matching.on ? " on" : " ignoring") + " (" + listed(matching.labels) + ")";
  }
  const bool left = matching.card == Matching::Card::kManyToOne;
  if (left || matching.card == Matching::Card::kOneToMany) {
    out += std::string(left ? " group_left" : " group_right") + " (" + listed(matching.include) + ")";
  }
  return out;
}

std::string text_of(const Expression& expression) {
  const auto& node = expression.node;
  if (const auto* const number = std::get_if<Number>(&node)) return number_text(number->value);
  if (const auto* const text = std::get_if<Text>(&node)) return quote(text->value);
  if (const auto* const selector = std::get_if<Selector>(&node))
    return selector_text(*selector) + shift_text(selector->shift);
  if (const auto* const range = std::get_if<RangeSelector>(&node)) {
    return selector_text(range->selector) + "[" + format_duration_ms(range->range_ms) + "]" +
           shift_text(range->selector.shift);
  }
  if (const auto* const subquery = std::get_if<Subquery>(&node)) {
    const std::string step = subquery->step_ms ? format_duration_ms(*subquery->step_ms) : "";
    return format_expression(*subquery->inner) + "[" + format_duration_ms(subquery->range_ms) + ":" + step + "]" +
           shift_text(subquery->shift);
  }
  if (const auto* const call = std::get_if<Call>(&node)) {
    std::string arguments;
    for (const ExpressionPtr& one : call->arguments)
      arguments += (arguments.empty() ? "" : ", ") + format_expression(*one);
    return std::string(call->function->name) + "(" + arguments + ")";
  }
  if (const auto* const aggregation = std::get_if<Aggregation>(&node)) {
    const std::string parameter = aggregation->parameter ? format_expression(*aggregation->parameter) + ", " : "";
    return std::string(kAggregateNames.at(static_cast<size_t>(aggregation->op))) + grouping_text(*aggregation) + "(" +
           parameter + format_expression(*aggregation->inner) + ")";
  }
  if (const auto* const binary = std::get_if<Binary>(&node)) {
    return format_expression(*binary->left) + " " + std::string(kOperatorNames.at(static_cast<size_t>(binary->op))) +
           (binary->return_bool ? " bool" : "") + matching_text(*binary) + " " + format_expression(*binary->right);
  }
  return "-" + format_expression(*std::get<Negation>(node).inner);
}

}  // namespace

std::string format_expression(const Expression& expression) {
  return expression.parenthesized ? "(" + text_of(expression) + ")" : text_of(expression);
}

}  // namespace monitor::query

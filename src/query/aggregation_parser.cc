#include "query/aggregation_parser.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "query/selector_parser.h"

namespace monitor::query {
namespace {

constexpr std::array<AggregateSpec, 14> kAggregates = {{{"sum", AggregateOp::kSum, false},
                                                        {"avg", AggregateOp::kAvg, false},
                                                        {"min", AggregateOp::kMin, false},
                                                        {"max", AggregateOp::kMax, false},
                                                        {"count", AggregateOp::kCount, false},
                                                        {"group", AggregateOp::kGroup, false},
                                                        {"stddev", AggregateOp::kStddev, false},
                                                        {"stdvar", AggregateOp::kStdvar, false},
                                                        {"topk", AggregateOp::kTopk, true},
                                                        {"bottomk", AggregateOp::kBottomk, true},
                                                        {"limitk", AggregateOp::kLimitk, true},
                                                        {"limit_ratio", AggregateOp::kLimitRatio, true},
                                                        {"quantile", AggregateOp::kQuantile, true},
                                                        {"count_values", AggregateOp::kCountValues, true}}};

}  // namespace

std::span<const AggregateSpec> all_aggregates() { return kAggregates; }

const AggregateSpec* find_aggregate(std::string_view word) {
  const auto* const found = std::ranges::find(kAggregates, word, &AggregateSpec::name);
  return found == kAggregates.end() ? nullptr : found;
}

Status parse_grouping(TokenStream& tokens, Aggregation& aggregation, bool& grouped) {
  if (grouped || (!tokens.at_keyword("by") && !tokens.at_keyword("without"))) return {};
  grouped = true;
  aggregation.without = lower(tokens.take().text) == "without";
  auto labels = parse_label_list(tokens);
  if (!labels) return labels.error();
  aggregation.labels = std::move(*labels);
  return {};
}

Status check_aggregation(const TokenStream& tokens, const Aggregation& aggregation, const AggregateSpec& spec) {
  const auto require = [&](const Expression& argument, ValueType wanted) -> Status {
    if (argument.type == wanted) return {};
    return tokens.error(argument.begin, std::string(spec.name) + " needs " + std::string(type_name(wanted)) +
                                            " here, not " + std::string(type_name(argument.type)));
  };
  if (spec.has_parameter) {
    const ValueType wanted = spec.op == AggregateOp::kCountValues ? ValueType::kString : ValueType::kScalar;
    if (auto status = require(*aggregation.parameter, wanted); !status) return status;
  }
  return require(*aggregation.inner, ValueType::kVector);
}

}  // namespace monitor::query

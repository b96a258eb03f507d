#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "query/evaluator_impl.h"

namespace monitor::query {
namespace {

bool compare(BinaryOp op, double left, double right) {
  switch (op) {
    case BinaryOp::kEqual:
      return left == right;
    case BinaryOp::kNotEqual:
      return left != right;
    case BinaryOp::kLess:
      return left < right;
    case BinaryOp::kLessEqual:
      return left <= right;
    case BinaryOp::kGreater:
      return left > right;
    case BinaryOp::kGreaterEqual:
      return left >= right;
    default:
      return false;
  }
}

double compute(BinaryOp op, double left, double right) {
  switch (op) {
    case BinaryOp::kAdd:
      return left + right;
    case BinaryOp::kSubtract:
      return left - right;
    case BinaryOp::kMultiply:
      return left * right;
    case BinaryOp::kDivide:
      return left / right;
    case BinaryOp::kModulo:
      return std::fmod(left, right);
    case BinaryOp::kPower:
      return std::pow(left, right);
    case BinaryOp::kAtan2:
      return std::atan2(left, right);
    default:
      return no_value();
  }
}

// The result of an operator where a comparison filters: it keeps `kept` or has no value.
double apply(const Binary& binary, double left, double right, double kept) {
  if (!is_comparison(binary.op)) return compute(binary.op, left, right);
  const bool holds = compare(binary.op, left, right);
  if (binary.return_bool) return holds ? 1 : 0;
  return holds ? kept : no_value();
}

bool drops_name(const Binary& binary) { return !is_comparison(binary.op) || binary.return_bool; }

void apply_scalars(const Binary& binary, Columns& columns, const Scalars& scalars, bool scalar_is_left) {
  for (Column& column : columns) {
    column.drop_name = column.drop_name || drops_name(binary);
    for (size_t i = 0; i < column.values.size(); ++i) {
      double& value = column.values[i];
      if (!has_value(value)) continue;
      const double kept = value;  // the vector's value, on whichever side it is
      value = scalar_is_left ? apply(binary, scalars[i], value, kept) : apply(binary, value, scalars[i], kept);
    }
  }
}

Labels signature(const Matching& matching, const Labels& labels) {
  return matching.on ? labels.keep(matching.labels) : labels.without(matching.labels).without_name();
}

// The columns of each side that may match one another.
struct Partners {
  std::vector<size_t> many;
  std::vector<size_t> one;
};

using PartnersOf = std::unordered_map<Labels, Partners, LabelsHash>;

PartnersOf find_partners(const Matching& matching, const Columns& many, const Columns& one) {
  PartnersOf partners;
  for (size_t i = 0; i < many.size(); ++i) partners[signature(matching, many[i].labels)].many.push_back(i);
  for (size_t i = 0; i < one.size(); ++i) partners[signature(matching, one[i].labels)].one.push_back(i);
  return partners;
}

// What is computed is another metric; its name does not survive until the end, unless the grouping asks for one.
Labels result_labels(const Matching& matching, const Labels& many, const Labels& one, bool computed) {
  Labels labels = computed ? many.without_metric() : many;
  if (matching.card == Matching::Card::kOneToOne) {
    labels = matching.on ? labels.keep(matching.labels) : labels.without(matching.labels);
  }
  for (const std::string& label : matching.include) labels.set(label, one.get(label));
  return labels;
}

// The column of `candidates` that has a value at the step; nothing if none has. Errors if several have.
Result<std::optional<size_t>> only_one(const Columns& columns, const std::vector<size_t>& candidates, size_t step,
                                       std::string_view side) {
  std::optional<size_t> found;
  for (const size_t i : candidates) {
    if (!has_value(columns[i].values[step])) continue;
    if (found) {
      return Error(Code::kInvalidArgument,
                   "several series on the " + std::string(side) +
                       " side of the operator match: " + shorten(columns[*found].labels.to_string()) + " and " +
                       shorten(columns[i].labels.to_string()) + "; many-to-many matching is not possible");
    }
    found = i;
  }
  return found;
}

// Matches the columns of one signature with one another.
class PairMatcher {
 public:
  PairMatcher(const Binary& binary, const Columns& many, const Columns& one, size_t steps, Hold hold)
      : binary_(binary), many_(many), one_(one), steps_(steps), hold_(std::move(hold)), any_(steps, false) {
    for (const Column& column : many) {
      for (size_t step = 0; step < steps; ++step) any_[step] = any_[step] || has_value(column.values[step]);
    }
  }

  Status match(const Partners& partners) {
    const bool swapped = binary_.matching.card == Matching::Card::kOneToMany;
    pairs_.clear();
    for (size_t step = 0; step < steps_; ++step) {
      // Where nothing is on the other side at all, several series on this one are no fault.
      if (!any_[step]) continue;
      auto one = only_one(one_, partners.one, step, swapped ? "left" : "right");
      if (!one) return one.error();
      if (!*one) continue;
      if (auto status = match_step(partners, **one, step, swapped); !status) return status;
    }
    return {};
  }

  Columns take() { return std::move(result_); }

 private:
  Status match_step(const Partners& partners, size_t one, size_t step, bool swapped) {
    std::optional<size_t> matched;
    for (const size_t many : partners.many) {
      const double first = many_[many].values[step];
      const double second = one_[one].values[step];
      if (!has_value(first)) continue;
      // Also where the comparison below would filter one of them.
      if (matched && binary_.matching.card == Matching::Card::kOneToOne) {
        return Error(Code::kInvalidArgument, "several series on the left side of the operator match " +
                                                 shorten(one_[one].labels.to_string()) + ": " +
                                                 shorten(many_[*matched].labels.to_string()) + " and " +
                                                 shorten(many_[many].labels.to_string()) +
                                                 "; use group_left() or group_right() for many-to-one matching");
      }
      matched = many;
      const double left = swapped ? second : first;
      const double right = swapped ? first : second;
      const double value = apply(binary_, left, right, left);
      if (!has_value(value)) continue;
      const size_t place = place_of(many, one);
      if (place == result_.size()) {
        if (auto status = hold_(many_[many].labels.bytes() + steps_ * sizeof(double)); !status) return status;
        add_column(many, one);
      }
      result_[place].values[step] = value;
    }
    return {};
  }

  // The pair's place in the result, which is its end if the pair is new.
  size_t place_of(size_t many, size_t one) { return pairs_.try_emplace({many, one}, result_.size()).first->second; }
  void add_column(size_t many, size_t one) {
    const bool computed = !is_comparison(binary_.op);
    result_.push_back({.labels = result_labels(binary_.matching, many_[many].labels, one_[one].labels, computed),
                       .drop_name = !computed && (many_[many].drop_name || binary_.return_bool),
                       .values = std::vector<double>(steps_, no_value())});
  }

  const Binary& binary_;
  const Columns& many_;
  const Columns& one_;
  const size_t steps_;
  const Hold hold_;
  std::vector<bool> any_;  // by step: whether any of the many has a value
  std::map<std::pair<size_t, size_t>, size_t> pairs_;
  Columns result_;
};

// Keeps of the columns the steps at which some partner has a value, or has none.
void keep_steps(Columns& columns, const std::vector<size_t>& kept, const Columns& others,
                const std::vector<size_t>& partners, bool where_present, size_t steps) {
  for (size_t step = 0; step < steps; ++step) {
    const bool present =
        std::ranges::any_of(partners, [&](size_t partner) { return has_value(others[partner].values[step]); });
    if (present == where_present) continue;
    for (const size_t i : kept) columns[i].values[step] = no_value();
  }
}

}  // namespace

Result<Value> Evaluator::binary(const Binary& binary, const Steps& steps) {
  auto left = value_of(*binary.left, steps);
  if (!left) return left;
  auto right = value_of(*binary.right, steps);
  if (!right) return right;
  auto* const left_scalars = std::get_if<Scalars>(&*left);
  auto* const right_scalars = std::get_if<Scalars>(&*right);
  if (left_scalars != nullptr && right_scalars != nullptr) {
    Scalars result(steps.count);
    for (size_t i = 0; i < steps.count; ++i) {
      result[i] = apply(binary, (*left_scalars)[i], (*right_scalars)[i], (*left_scalars)[i]);
    }
    return Value(std::move(result));
  }
  if (right_scalars != nullptr) {
    apply_scalars(binary, std::get<Columns>(*left), *right_scalars, false);
    return left;
  }
  if (left_scalars != nullptr) {
    apply_scalars(binary, std::get<Columns>(*right), *left_scalars, true);
    return right;
  }
  auto& left_columns = std::get<Columns>(*left);
  auto& right_columns = std::get<Columns>(*right);
  const size_t series = left_columns.size() + right_columns.size();
  if (auto status = spend(series * steps.count, series); !status) return status.error();
  auto result = is_set_operator(binary.op)
                    ? combine_sets(binary, std::move(left_columns), std::move(right_columns), steps)
                    : match_vectors(binary, std::move(left_columns), std::move(right_columns), steps);
  if (!result) return result.error();
  return Value(std::move(*result));
}

Result<Columns> Evaluator::match_vectors(const Binary& binary, Columns left, Columns right, const Steps& steps) {
  const bool swapped = binary.matching.card == Matching::Card::kOneToMany;
  const Columns& many = swapped ? right : left;
  const Columns& one = swapped ? left : right;
  PairMatcher matcher(binary, many, one, steps.count, holder());
  for (const auto& [labels, partners] : find_partners(binary.matching, many, one)) {
    // Several on this side are a fault also where no series of the other side matches them.
    if (partners.one.empty() || (partners.many.empty() && partners.one.size() == 1)) continue;
    if (auto status = matcher.match(partners); !status) return status.error();
    if (auto status = spend(0, 0); !status) return status.error();
  }
  return merge_equal(matcher.take(),
                     "several matches have the same labels; the grouping labels must tell them apart: ");
}

Result<Columns> Evaluator::combine_sets(const Binary& binary, Columns left, Columns right, const Steps& steps) {
  const PartnersOf partners_of = find_partners(binary.matching, left, right);
  for (const auto& [labels, partners] : partners_of) {
    if (auto status = spend(0, 0); !status) return status.error();
    if (binary.op == BinaryOp::kOr) {
      keep_steps(right, partners.one, left, partners.many, false, steps.count);
    } else {
      keep_steps(left, partners.many, right, partners.one, binary.op == BinaryOp::kAnd, steps.count);
    }
  }
  if (binary.op != BinaryOp::kOr) return left;
  std::ranges::move(right, std::back_inserter(left));
  std::erase_if(left, [](const Column& column) { return !column.any(); });
  return merge_equal(std::move(left), "both sides of \"or\" have the same series: ");
}

}  // namespace monitor::query

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "query/evaluator_impl.h"

namespace monitor::query {
namespace {

const std::string& text_of(const Expression& expression) { return std::get<Text>(expression.node).value; }

bool literal_texts(const Call& call) {
  return std::ranges::all_of(call.arguments, [](const ExpressionPtr& argument) {
    return argument->type != ValueType::kString || std::holds_alternative<Text>(argument->node);
  });
}

// The labels that a series would have if the selector selected one: those that it demands by "=", once each.
Labels demanded_labels(const Expression& expression) {
  const std::vector<Matcher>* matchers = nullptr;
  if (const auto* const selector = std::get_if<Selector>(&expression.node)) matchers = &selector->matchers;
  if (const auto* const range = std::get_if<RangeSelector>(&expression.node)) matchers = &range->selector.matchers;
  Labels labels;
  if (matchers == nullptr) return labels;
  for (const Matcher& matcher : *matchers) {
    if (matcher.label() == kNameLabel) continue;
    const auto of_label = [&](const Matcher& other) { return other.label() == matcher.label(); };
    if (matcher.kind() == Matcher::Kind::kEqual && std::ranges::count_if(*matchers, of_label) == 1) {
      labels.set(matcher.label(), matcher.value());
    }
  }
  return labels;
}

bool expects_counter(std::string_view function) { return function == "rate" || function == "increase"; }

// Adds the value unless it is there. NaN equals itself here. Bounded, since annotations are.
void note_once(double value, Scalars& values) {
  constexpr size_t kMost = 100;
  const auto same = [value](double other) { return other == value || (std::isnan(other) && std::isnan(value)); };
  if (values.size() < kMost && std::ranges::none_of(values, same)) values.push_back(value);
}

// Whether the function accepts its scalar arguments at every step.
Status check_parameters(const Call& call, const std::vector<Scalars>& given, const Steps& steps) {
  if (call.function->check == nullptr) return {};
  std::vector<double> at_step(given.size());
  for (size_t step = 0; step < steps.count; ++step) {
    for (size_t i = 0; i < at_step.size(); ++i) at_step[i] = given[i][step];
    if (const std::string fault = call.function->check(at_step); !fault.empty()) {
      return Error(Code::kInvalidArgument, std::string(call.function->name) + "(): " + fault);
    }
  }
  return {};
}

}  // namespace

Result<Value> Evaluator::call(const Call& call, const Steps& steps) {
  if (call.function->special != SpecialFunction::kNone) return call_special(call, steps);
  auto columns = call.function->range != nullptr ? call_range(call, steps) : call_math(call, steps);
  if (!columns) return columns.error();
  return Value(std::move(*columns));
}

Result<std::vector<Scalars>> Evaluator::parameters(const Call& call, const Steps& steps) {
  std::vector<Scalars> all;
  for (const ExpressionPtr& argument : call.arguments) {
    if (argument->type != ValueType::kScalar) continue;
    auto scalars = scalars_of(*argument, steps);
    if (!scalars) return scalars.error();
    all.push_back(std::move(*scalars));
  }
  return all;
}

Result<Columns> Evaluator::call_range(const Call& call, const Steps& steps) {
  auto given = parameters(call, steps);
  if (!given) return given.error();
  if (auto status = check_parameters(call, *given, steps); !status) return status.error();
  const auto range = std::ranges::find(call.arguments, ValueType::kMatrix, [](const auto& a) { return a->type; });
  auto input = range_input(**range, steps);
  if (!input) return input.error();
  const bool of_quantiles = call.function->name == "quantile_over_time";
  Scalars used;  // quantiles outside 0 to 1 that were used
  const bool of_counters = expects_counter(call.function->name);
  Columns columns;
  for (size_t i = 0; i < input->series.size(); ++i) {
    if (auto status = hold_column(input->series[i].labels, steps); !status) return status.error();
    columns.push_back({.labels = input->series[i].labels,
                       .drop_name = input->drop_name[i] || !call.function->keeps_name,
                       .values = std::vector<double>(steps.count, no_value())});
  }
  std::vector<double> at_step(given->size());
  auto status = each_window(*input, steps, [&](size_t series, size_t step, Window window) {
    for (size_t i = 0; i < at_step.size(); ++i) at_step[i] = (*given)[i][step];
    window.parameters = at_step;
    if (of_quantiles && !(at_step[0] >= 0 && at_step[0] <= 1)) note_once(at_step[0], used);
    columns[series].values[step] = call.function->range(window).value_or(no_value());
  });
  if (!status) return status.error();
  for (const double quantile : used) check_quantiles({quantile}, *call.arguments[0]);
  for (size_t i = 0; of_counters && i < columns.size(); ++i) {
    if (columns[i].any()) check_counter(columns[i].labels, **range);
  }
  return columns;
}

Result<Columns> Evaluator::call_math(const Call& call, const Steps& steps) {
  auto given = parameters(call, steps);
  if (!given) return given.error();
  Columns columns;
  if (call.arguments.empty()) {
    // hour() is hour(vector(time())).
    columns.push_back({.labels = {}, .values = {}});
    for (size_t i = 0; i < steps.count; ++i) columns[0].values.push_back(static_cast<double>(steps.at(i)) / 1000);
  } else {
    auto argument = columns_of(*call.arguments[0], steps);
    if (!argument) return argument.error();
    columns = std::move(*argument);
  }
  std::vector<double> at_step(given->size());
  for (Column& column : columns) {
    column.drop_name = true;
    for (size_t step = 0; step < steps.count; ++step) {
      if (!has_value(column.values[step])) continue;
      for (size_t i = 0; i < at_step.size(); ++i) at_step[i] = (*given)[i][step];
      column.values[step] = call.function->math(column.values[step], at_step).value_or(no_value());
    }
  }
  return columns;
}

Result<Value> Evaluator::call_special(const Call& call, const Steps& steps) {
  const auto as_value = [](Result<Columns> columns) -> Result<Value> {
    if (!columns) return columns.error();
    return Value(std::move(*columns));
  };
  switch (call.function->special) {
    case SpecialFunction::kPi:
      return Value(Scalars(steps.count, std::numbers::pi));
    case SpecialFunction::kTime: {
      Scalars times;
      for (size_t i = 0; i < steps.count; ++i) times.push_back(static_cast<double>(steps.at(i)) / 1000);
      return Value(std::move(times));
    }
    case SpecialFunction::kVector: {
      auto scalars = scalars_of(*call.arguments[0], steps);
      if (!scalars) return scalars.error();
      return Value(Columns{{.labels = {}, .values = std::move(*scalars)}});
    }
    case SpecialFunction::kScalar: {
      auto columns = columns_of(*call.arguments[0], steps);
      if (!columns) return columns.error();
      return Value(to_scalar(*columns, steps));
    }
    case SpecialFunction::kTimestamp:
      return as_value(timestamp(*call.arguments[0], steps));
    case SpecialFunction::kAbsent:
    case SpecialFunction::kAbsentOverTime:
      return as_value(absent(call, steps));
    case SpecialFunction::kLabelReplace:
    case SpecialFunction::kLabelJoin:
      return as_value(change_labels(call, steps));
    case SpecialFunction::kSort:
    case SpecialFunction::kSortDescending:
    case SpecialFunction::kSortByLabel:
    case SpecialFunction::kSortByLabelDescending:
      return as_value(sorted(call, steps));
    case SpecialFunction::kHistogramQuantile:
    case SpecialFunction::kHistogramFraction:
      return as_value(classic_histogram(call, steps));
    case SpecialFunction::kOwn:
      return as_value(own_function(call, steps));
    case SpecialFunction::kUnusual:
      return as_value(unusual(call, steps));
    case SpecialFunction::kNone:
      break;
  }
  return Error(Code::kInternal, "no such function");
}

Scalars Evaluator::to_scalar(const Columns& columns, const Steps& steps) {
  Scalars scalars(steps.count, std::numeric_limits<double>::quiet_NaN());
  for (size_t step = 0; step < steps.count; ++step) {
    size_t values = 0;
    double value = 0;
    for (const Column& column : columns) {
      if (!has_value(column.values[step])) continue;
      ++values;
      value = column.values[step];
    }
    if (values == 1) scalars[step] = value;
  }
  return scalars;
}

Result<Columns> Evaluator::timestamp(const Expression& argument, const Steps& steps) {
  Result<Columns> columns = Columns();
  if (const auto* const selector = std::get_if<Selector>(&argument.node)) {
    columns = select(*selector, steps, [](Column& column, size_t step, const Point& point) {
      column.values[step] = static_cast<double>(point.time_ms) / 1000;
    });
  } else {
    columns = columns_of(argument, steps);
    if (!columns) return columns;
    for (Column& column : *columns) {
      for (size_t step = 0; step < steps.count; ++step) {
        if (has_value(column.values[step])) column.values[step] = static_cast<double>(steps.at(step)) / 1000;
      }
    }
  }
  if (columns) {
    for (Column& column : *columns) column.drop_name = true;
  }
  return columns;
}

Result<Columns> Evaluator::absent(const Call& call, const Steps& steps) {
  const Expression& argument = *call.arguments[0];
  Column column{.labels = demanded_labels(argument), .values = std::vector<double>(steps.count, 1)};
  if (call.function->special == SpecialFunction::kAbsentOverTime) {
    auto input = range_input(argument, steps);
    if (!input) return input.error();
    auto status =
        each_window(*input, steps, [&](size_t, size_t step, const Window&) { column.values[step] = no_value(); });
    if (!status) return status.error();
  } else {
    auto columns = columns_of(argument, steps);
    if (!columns) return columns;
    for (const Column& there : *columns) {
      for (size_t step = 0; step < steps.count; ++step) {
        if (has_value(there.values[step])) column.values[step] = no_value();
      }
    }
  }
  Columns result;
  result.push_back(std::move(column));
  return result;
}

Result<Columns> Evaluator::change_labels(const Call& call, const Steps& steps) {
  if (!literal_texts(call)) return Error(Code::kInvalidArgument, "the texts of a function must be literals");
  auto columns = columns_of(*call.arguments[0], steps);
  if (!columns) return columns;
  std::erase_if(*columns, [](const Column& column) { return !column.any(); });
  const auto& arguments = call.arguments;
  if (call.function->special == SpecialFunction::kLabelReplace) {
    return replace_label(std::move(*columns),
                         {.target = text_of(*arguments[1]),
                          .replacement = text_of(*arguments[2]),
                          .source = text_of(*arguments[3]),
                          .pattern = text_of(*arguments[4])},
                         holder());
  }
  std::vector<std::string> sources;
  for (size_t i = 3; i < arguments.size(); ++i) sources.push_back(text_of(*arguments[i]));
  return join_labels(std::move(*columns), text_of(*arguments[1]), text_of(*arguments[2]), sources, holder());
}

Result<Columns> Evaluator::sorted(const Call& call, const Steps& steps) {
  auto columns = columns_of(*call.arguments[0], steps);
  if (!columns) return columns;
  if (times_.start_ms != times_.end_ms || steps.count > 1) {
    annotations_.warn("sort is ineffective for range queries since results are always ordered by labels", call.begin);
  }
  if (steps.count > 1) return columns;
  const SpecialFunction function = call.function->special;
  if (function == SpecialFunction::kSort || function == SpecialFunction::kSortDescending) {
    const bool descending = function == SpecialFunction::kSortDescending;
    std::ranges::stable_sort(*columns, [descending](const Column& a, const Column& b) {
      // NaN comes last in both orders.
      if (std::isnan(a.values[0]) || std::isnan(b.values[0]))
        return !std::isnan(a.values[0]) && std::isnan(b.values[0]);
      return descending ? a.values[0] > b.values[0] : a.values[0] < b.values[0];
    });
    return columns;
  }
  const bool descending = function == SpecialFunction::kSortByLabelDescending;
  std::ranges::stable_sort(*columns, [&](const Column& a, const Column& b) {
    for (size_t i = 1; i < call.arguments.size(); ++i) {
      const std::string_view first = a.labels.get(text_of(*call.arguments[i]));
      const std::string_view second = b.labels.get(text_of(*call.arguments[i]));
      if (first != second) return descending ? natural_less(second, first) : natural_less(first, second);
    }
    return descending ? b.labels < a.labels : a.labels < b.labels;
  });
  return columns;
}

}  // namespace monitor::query

#include "query/evaluator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "query/evaluator_impl.h"
#include "query/json.h"

namespace monitor::query {
namespace {

std::vector<Point> points_of(const std::vector<double>& values, const Steps& steps) {
  std::vector<Point> points;
  points.reserve(static_cast<size_t>(std::ranges::count_if(values, has_value)));
  for (size_t i = 0; i < values.size(); ++i) {
    if (has_value(values[i])) points.push_back({steps.at(i), values[i]});
  }
  return points;
}

size_t bytes_of(const Value& value) {
  if (const auto* const scalars = std::get_if<Scalars>(&value)) return scalars->capacity() * sizeof(double);
  const auto* const columns = std::get_if<Columns>(&value);
  if (columns == nullptr) return std::get<std::string>(value).capacity();
  size_t bytes = 0;
  for (const Column& column : *columns) bytes += column.bytes();
  return bytes;
}

}  // namespace

Result<QueryResult> evaluate(const Expression& expression, SeriesSource& source, const QueryTimes& times,
                             const QueryOptions& options) {
  Evaluator evaluator(source, times, options);
  auto result = evaluator.run(expression);
  if (result) evaluator.annotate(*result);
  return result;
}

void Evaluator::annotate(QueryResult& result) const {
  result.samples = samples_;
  result.peak_bytes = peak_;
  result.warnings = annotations_.warnings(options_.text);
  result.infos = annotations_.infos(options_.text);
}

void Evaluator::check_quantiles(const Scalars& quantiles, const Expression& argument) {
  const auto warn = [&](double quantile) {
    annotations_.warn("quantile value should be between 0 and 1, got " + value_text(quantile), argument.begin);
  };
  double least = 0;
  double greatest = 1;
  bool none = false;
  for (const double quantile : quantiles) {
    none = none || std::isnan(quantile);
    least = std::min(least, quantile);
    greatest = std::max(greatest, quantile);
  }
  if (none) warn(std::nan(""));
  if (greatest > 1) warn(greatest);
  if (least < 0) warn(least);
}

void Evaluator::check_ratios(const Scalars& ratios, const Expression& argument) {
  const auto warn = [&](double ratio, const char* limit) {
    annotations_.warn("ratio value should be between -1 and 1, got " + value_text(ratio) + ", capping to " + limit,
                      argument.begin);
  };
  const auto [least, greatest] = std::ranges::minmax(ratios);
  if (greatest > 1) warn(greatest, "1");
  if (least < -1) warn(least, "-1");
}

void Evaluator::check_counter(const Labels& labels, const Expression& argument) {
  const std::string_view name = labels.name();
  // Names with dots do not end in what Prometheus expects.
  if (name.empty() || name.find('.') != std::string_view::npos) return;
  for (const std::string_view end : {"_total", "_sum", "_count", "_bucket"}) {
    if (name.ends_with(end)) return;
  }
  annotations_.inform(
      "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: " + quote_short(name),
      argument.begin);
}

Result<QueryResult> Evaluator::run(const Expression& expression) {
  if (times_.step_ms < 1 || times_.end_ms < times_.start_ms) {
    return Error(Code::kInvalidArgument, "the query's end is before its start, or its step is shorter than 1 ms");
  }
  // Unsigned: the distance of two times may exceed int64.
  const uint64_t span = static_cast<uint64_t>(times_.end_ms) - static_cast<uint64_t>(times_.start_ms);
  const uint64_t count = span / static_cast<uint64_t>(times_.step_ms) + 1;
  if (count > options_.limits.max_steps) {
    return Error(Code::kResourceExhausted, "the query has " + std::to_string(count) + " steps; at most " +
                                               std::to_string(options_.limits.max_steps) +
                                               " are possible: use a longer step");
  }
  const Steps steps{times_.start_ms, times_.step_ms, static_cast<size_t>(count)};
  if (expression.type == ValueType::kMatrix) return range_vector(expression, steps);
  auto value = value_of(expression, steps);
  if (!value) return value.error();
  QueryResult result{.type = expression.type};
  if (auto* const text = std::get_if<std::string>(&*value)) {
    result.text = std::move(*text);
    return result;
  }
  if (const auto* const scalars = std::get_if<Scalars>(&*value)) {
    result.series.push_back({{}, points_of(*scalars, steps)});
    return result;
  }
  auto columns = finish(std::move(std::get<Columns>(*value)));
  if (!columns) return columns.error();
  for (Column& column : *columns) {
    result.series.push_back({std::move(column.labels), points_of(column.values, steps)});
    column.values = {};
    // The points are larger than the values that they replace.
    const size_t more = result.series.back().points.capacity() * (sizeof(Point) - sizeof(double));
    if (auto status = hold(more); !status) return status.error();
  }
  // The order of an instant query's result may mean something: sort(), topk().
  if (steps.count > 1) std::ranges::sort(result.series, {}, &ResultSeries::labels);
  return result;
}

Result<QueryResult> Evaluator::range_vector(const Expression& expression, const Steps& steps) {
  if (steps.count > 1 || times_.start_ms != times_.end_ms) {
    return Error(Code::kInvalidArgument, "a range query needs a scalar or an instant vector, not a range vector");
  }
  auto input = range_input(expression, steps);
  if (!input) return input.error();
  QueryResult result{.type = ValueType::kMatrix};
  size_t copied = 0;
  auto status = each_window(*input, steps, [&](size_t series, size_t, const Window& window) {
    Labels labels = input->series[series].labels;
    copied += labels.bytes() + window.points.size_bytes();
    if (input->drop_name[series]) labels = labels.without_metric();
    result.series.push_back({std::move(labels), {window.points.begin(), window.points.end()}});
  });
  if (!status) return status.error();
  if (auto held = hold(copied); !held) return held.error();
  return result;
}

Result<Value> Evaluator::value_of(const Expression& expression, const Steps& steps) {
  // A long chain of operators over many samples takes long without reading any.
  if (auto status = spend(0, 0); !status) return status.error();
  const size_t before = held_;
  auto value = compute(expression, steps);
  if (!value) return value;
  // What the value was made of is gone.
  held_ = before;
  if (auto status = hold(bytes_of(*value)); !status) return status.error();
  return value;
}

Result<Value> Evaluator::compute(const Expression& expression, const Steps& steps) {
  const auto& node = expression.node;
  if (const auto* const number = std::get_if<Number>(&node)) return Value(Scalars(steps.count, number->value));
  if (const auto* const text = std::get_if<Text>(&node)) return Value(text->value);
  if (const auto* const function = std::get_if<Call>(&node)) return call(*function, steps);
  if (const auto* const operation = std::get_if<Binary>(&node)) return binary(*operation, steps);
  const auto as_value = [](Result<Columns> columns) -> Result<Value> {
    if (!columns) return columns.error();
    return Value(std::move(*columns));
  };
  if (const auto* const selector = std::get_if<Selector>(&node)) {
    return as_value(select(*selector, steps,
                           [](Column& column, size_t step, const Point& point) { column.values[step] = point.value; }));
  }
  if (const auto* const aggregation = std::get_if<Aggregation>(&node)) return as_value(aggregate(*aggregation, steps));
  if (const auto* const negation = std::get_if<Negation>(&node)) {
    auto value = value_of(*negation->inner, steps);
    if (!value) return value;
    if (auto* const scalars = std::get_if<Scalars>(&*value)) {
      for (double& scalar : *scalars) scalar = -scalar;
      return value;
    }
    return as_value(negate(std::move(std::get<Columns>(*value))));
  }
  return Error(Code::kInternal, "a range vector has no value of its own");
}

Result<Columns> Evaluator::negate(Columns columns) const {
  for (Column& column : columns) {
    for (double& value : column.values) {
      if (has_value(value)) value = -value;
    }
    column.drop_name = true;
  }
  return columns;
}

Result<Columns> Evaluator::columns_of(const Expression& expression, const Steps& steps) {
  auto value = value_of(expression, steps);
  if (!value) return value.error();
  return std::move(std::get<Columns>(*value));
}

Result<Scalars> Evaluator::scalars_of(const Expression& expression, const Steps& steps) {
  auto value = value_of(expression, steps);
  if (!value) return value.error();
  return std::move(std::get<Scalars>(*value));
}

Status Evaluator::spend(size_t samples, size_t series) {
  const QueryLimits& limits = options_.limits;
  if (series > limits.max_series) {
    return Error(Code::kResourceExhausted, "a part of the query has " + std::to_string(series) + " series; at most " +
                                               std::to_string(limits.max_series) + " are possible: select fewer");
  }
  samples_ += samples;
  if (samples_ > limits.max_samples) {
    return Error(Code::kResourceExhausted, "the query uses more than " + std::to_string(limits.max_samples) +
                                               " samples (" + std::to_string(samples_) +
                                               " so far): select fewer series, a shorter time or a longer step");
  }
  return limits.check ? limits.check() : Status();
}

Status Evaluator::hold(size_t bytes) {
  held_ += std::min(bytes, SIZE_MAX - held_);
  peak_ = std::max(peak_, held_);
  if (held_ <= options_.limits.max_bytes) return {};
  return Error(Code::kResourceExhausted, "the query needs " + std::to_string(held_) +
                                             " bytes of memory or more; at most " +
                                             std::to_string(options_.limits.max_bytes) +
                                             " are possible: select fewer series, a shorter time or a longer step");
}

}  // namespace monitor::query

#include <algorithm>
#include <limits>
#include <utility>

#include "query/evaluator_impl.h"

namespace monitor::query {
namespace {

// Times are bounded, so that sums of a time, an offset and a range do not overflow.
constexpr int64_t kMostMs = int64_t{1} << 60;
// How many samples of windows may be computed between two looks at the limits.
constexpr size_t kSpendEvery = 100'000;

int64_t bounded(int64_t ms) { return std::clamp(ms, -kMostMs, kMostMs); }

int64_t floor_divide(int64_t dividend, int64_t divisor) {
  return dividend / divisor - (dividend % divisor < 0 ? 1 : 0);
}

}  // namespace

Result<std::vector<StoredSeries>> SeriesSource::own_series(std::string_view function,
                                                           std::span<const Matcher> /*matchers*/, int64_t /*from_ms*/,
                                                           int64_t /*to_ms*/) {
  return Error(Code::kInvalidArgument, std::string(function) +
                                           "() is not available here: only the page's server, and "
                                           "`monitor-analysis query` beside it, know the state of agents");
}

int64_t Evaluator::time_at(const TimeShift& shift, int64_t step_ms) const {
  int64_t at = step_ms;
  if (shift.at == TimeShift::At::kFixed) at = shift.at_ms;
  if (shift.at == TimeShift::At::kStart) at = times_.start_ms;
  if (shift.at == TimeShift::At::kEnd) at = times_.end_ms;
  return bounded(at) - bounded(shift.offset_ms);
}

Result<Columns> Evaluator::select(const Selector& selector, const Steps& steps, const OnSample& on_sample) {
  const int64_t first = time_at(selector.shift, steps.at(0));
  const int64_t last = time_at(selector.shift, steps.at(steps.count - 1));
  source_.limit_bytes(options_.limits.max_bytes - std::min(held_, options_.limits.max_bytes));
  auto found = source_.select(selector.matchers, first - options_.lookback_ms + 1, last);
  if (!found) return found.error();
  return latest_samples(std::move(*found), selector.shift, steps, on_sample);
}

Result<Columns> Evaluator::latest_samples(std::vector<StoredSeries> found, const TimeShift& shift, const Steps& steps,
                                          const OnSample& on_sample) {
  Columns columns;
  for (const StoredSeries& series : found) {
    if (auto status = hold(series.bytes()); !status) return status.error();
  }
  for (StoredSeries& series : found) {
    if (auto status = spend(series.points.size() + steps.count, found.size()); !status) return status.error();
    if (auto status = hold_column(series.labels, steps); !status) return status.error();
    Column column{.labels = std::move(series.labels), .values = std::vector<double>(steps.count, no_value())};
    const size_t read = series.points.capacity() * sizeof(Point);
    size_t next = 0;  // the first point after the step
    for (size_t step = 0; step < steps.count; ++step) {
      const int64_t now = time_at(shift, steps.at(step));
      while (next < series.points.size() && series.points[next].time_ms <= now) ++next;
      if (next == 0) continue;
      const Point& point = series.points[next - 1];
      if (point.time_ms > now - options_.lookback_ms && !is_stale(point.value)) on_sample(column, step, point);
    }
    columns.push_back(std::move(column));
    series.points = {};
    held_ -= std::min(held_, read);
  }
  return columns;
}

// The first argument is a regular expression for the label agent, the second one for the label state.
Result<Columns> Evaluator::own_function(const Call& call, const Steps& steps) {
  std::vector<Matcher> matchers;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    const auto* const text = std::get_if<Text>(&call.arguments[i]->node);
    if (text == nullptr) return Error(Code::kInvalidArgument, "the texts of a function must be literals");
    auto matcher = Matcher::create(Matcher::Kind::kRegex, i == 0 ? "agent" : "state", text->value);
    if (!matcher) return matcher.error();
    matchers.push_back(std::move(*matcher));
  }
  const int64_t first = bounded(steps.at(0));
  const int64_t last = bounded(steps.at(steps.count - 1));
  source_.limit_bytes(options_.limits.max_bytes - std::min(held_, options_.limits.max_bytes));
  // Sources choose agents; the state is a label of the series that they give.
  const std::span<const Matcher> agents(matchers.data(), std::min<size_t>(matchers.size(), 1));
  auto found = source_.own_series(call.function->name, agents, first - options_.lookback_ms + 1, last);
  if (!found) return found.error();
  if (matchers.size() > 1) {
    std::erase_if(*found, [&](const StoredSeries& one) { return !matchers[1].matches(one.labels.get("state")); });
  }
  return latest_samples(std::move(*found), {}, steps,
                        [](Column& column, size_t step, const Point& point) { column.values[step] = point.value; });
}

// Series keep their names: several metrics of an agent may have the same other labels.
Result<Columns> Evaluator::unusual(const Call& call, const Steps& steps) {
  static const Selector kAll;
  const Selector& selector = call.arguments.empty() ? kAll : std::get<Selector>(call.arguments[0]->node);
  const int64_t first = time_at(selector.shift, steps.at(0));
  const int64_t last = time_at(selector.shift, steps.at(steps.count - 1));
  source_.limit_bytes(options_.limits.max_bytes - std::min(held_, options_.limits.max_bytes));
  auto found = source_.own_series(call.function->name, selector.matchers, first - options_.lookback_ms + 1, last);
  if (!found) return found.error();
  return latest_samples(std::move(*found), selector.shift, steps,
                        [](Column& column, size_t step, const Point& point) { column.values[step] = point.value; });
}

Result<RangeInput> Evaluator::range_input(const Expression& expression, const Steps& steps) {
  if (const auto* const subquery = std::get_if<Subquery>(&expression.node)) return subquery_input(*subquery, steps);
  const auto& range = std::get<RangeSelector>(expression.node);
  const TimeShift& shift = range.selector.shift;
  const int64_t first = time_at(shift, steps.at(0)) - bounded(range.range_ms) + 1;
  source_.limit_bytes(options_.limits.max_bytes - std::min(held_, options_.limits.max_bytes));
  auto found = source_.select(range.selector.matchers, first, time_at(shift, steps.at(steps.count - 1)));
  if (!found) return found.error();
  for (StoredSeries& series : *found) {
    if (auto status = spend(series.points.size(), found->size()); !status) return status.error();
    if (auto status = hold(series.bytes()); !status) return status.error();
    std::erase_if(series.points, [](const Point& point) { return is_stale(point.value); });
  }
  RangeInput input{.series = std::move(*found), .range_ms = bounded(range.range_ms), .shift = shift};
  input.drop_name.resize(input.series.size(), false);
  return input;
}

Result<RangeInput> Evaluator::subquery_input(const Subquery& subquery, const Steps& steps) {
  const int64_t width = subquery.step_ms.value_or(options_.subquery_step_ms);
  const int64_t before_first = time_at(subquery.shift, steps.at(0)) - bounded(subquery.range_ms);
  const int64_t last = time_at(subquery.shift, steps.at(steps.count - 1));
  // A subquery's steps are multiples of its width, whatever the query's time, so that its result does not move with it.
  const int64_t start = (floor_divide(before_first, width) + 1) * width;
  RangeInput input{.range_ms = bounded(subquery.range_ms), .shift = subquery.shift};
  if (start > last) return input;
  const Steps inner{start, width, static_cast<size_t>((last - start) / width) + 1};
  if (auto status = spend(inner.count, 1); !status) return status.error();
  if (auto status = hold(inner.count * sizeof(double)); !status) return status.error();
  held_ -= inner.count * sizeof(double);  // the inner value counts itself
  auto value = value_of(*subquery.inner, inner);
  if (!value) return value.error();
  if (auto* const scalars = std::get_if<Scalars>(&*value)) {
    value = Value(Columns{{.labels = {}, .values = std::move(*scalars)}});
  }
  for (Column& column : std::get<Columns>(*value)) {
    StoredSeries series{std::move(column.labels), {}};
    series.points.reserve(static_cast<size_t>(std::ranges::count_if(column.values, has_value)));
    if (auto status = hold(series.points.capacity() * sizeof(Point)); !status) return status.error();
    for (size_t i = 0; i < inner.count; ++i) {
      if (has_value(column.values[i])) series.points.push_back({inner.at(i), column.values[i]});
    }
    input.series.push_back(std::move(series));
    input.drop_name.push_back(column.drop_name);
    held_ -= std::min(held_, column.values.capacity() * sizeof(double));
    column.values = {};
  }
  return input;
}

Status Evaluator::each_window(const RangeInput& input, const Steps& steps, const OnWindow& on_window) {
  for (size_t i = 0; i < input.series.size(); ++i) {
    const std::vector<Point>& points = input.series[i].points;
    size_t begin = 0;
    size_t end = 0;
    size_t used = 0;
    for (size_t step = 0; step < steps.count; ++step) {
      const int64_t now = time_at(input.shift, steps.at(step));
      while (end < points.size() && points[end].time_ms <= now) ++end;
      while (begin < end && points[begin].time_ms <= now - input.range_ms) ++begin;
      if (begin == end) continue;
      used += end - begin;
      on_window(i, step,
                {.points = std::span(points).subspan(begin, end - begin),
                 .begin_ms = now - input.range_ms,
                 .end_ms = now,
                 .evaluation_ms = steps.at(step)});
      // Windows overlap: what they have together may be far more than the samples.
      if (used > kSpendEvery) {
        if (auto status = spend(std::exchange(used, 0), input.series.size()); !status) return status;
      }
    }
    if (auto status = spend(used + steps.count, input.series.size()); !status) return status;
  }
  return {};
}

}  // namespace monitor::query

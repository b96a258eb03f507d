// Evaluator: one evaluation of a query. Used by evaluate() only; the parts of the class are in evaluator*.cc.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "query/annotations.h"
#include "query/column.h"
#include "query/evaluator.h"
#include "query/functions.h"

namespace monitor::query {

using Scalars = std::vector<double>;  // one a step
using Value = std::variant<Scalars, Columns, std::string>;

// The samples that a range vector is made of, before they are cut into windows.
struct RangeInput {
  std::vector<StoredSeries> series;
  std::vector<bool> drop_name;  // of each series
  int64_t range_ms = 0;
  TimeShift shift;
};

class Evaluator {
 public:
  Evaluator(SeriesSource& source, const QueryTimes& times, const QueryOptions& options)
      : source_(source), times_(times), options_(options) {}

  Result<QueryResult> run(const Expression& expression);
  // Adds the numbers of read samples and the annotations.
  void annotate(QueryResult& result) const;

 private:
  // evaluator.cc
  Result<Value> value_of(const Expression& expression, const Steps& steps);
  Result<Value> compute(const Expression& expression, const Steps& steps);
  Result<Columns> columns_of(const Expression& expression, const Steps& steps);
  Result<Scalars> scalars_of(const Expression& expression, const Steps& steps);
  Result<QueryResult> range_vector(const Expression& expression, const Steps& steps);
  Result<Columns> negate(Columns columns) const;
  // Adds Prometheus' warnings.
  void check_quantiles(const Scalars& quantiles, const Expression& argument);
  void check_ratios(const Scalars& ratios, const Expression& argument);
  void check_counter(const Labels& labels, const Expression& argument);
  // Counts read and computed samples against the limits.
  Status spend(size_t samples, size_t series);
  // Counts memory until the current expression has its value; value_of() then counts the value instead.
  Status hold(size_t bytes);
  Status hold_column(const Labels& labels, const Steps& steps) {
    return hold(labels.bytes() + sizeof(Column) + steps.count * sizeof(double));
  }
  // For functions outside of this class.
  Hold holder() {
    return [this](size_t bytes) { return hold(bytes); };
  }

  // evaluator_select.cc
  int64_t time_at(const TimeShift& shift, int64_t step_ms) const;
  // The samples of a selector that are used at any step, and what happens at each: (series, step, latest point).
  using OnSample = std::function<void(Column& column, size_t step, const Point& point)>;
  Result<Columns> select(const Selector& selector, const Steps& steps, const OnSample& on_sample);
  // Returns the latest sample at every step, unless it is too old.
  Result<Columns> latest_samples(std::vector<StoredSeries> found, const TimeShift& shift, const Steps& steps,
                                 const OnSample& on_sample);
  Result<Columns> own_function(const Call& call, const Steps& steps);
  Result<Columns> unusual(const Call& call, const Steps& steps);
  Result<RangeInput> range_input(const Expression& expression, const Steps& steps);
  Result<RangeInput> subquery_input(const Subquery& subquery, const Steps& steps);
  // Calls `call` with the window of every series at every step at which it has points.
  using OnWindow = std::function<void(size_t series, size_t step, const Window& window)>;
  Status each_window(const RangeInput& input, const Steps& steps, const OnWindow& on_window);

  // evaluator_calls.cc
  Result<Value> call(const Call& call, const Steps& steps);
  Result<Columns> call_range(const Call& call, const Steps& steps);
  Result<Columns> call_math(const Call& call, const Steps& steps);
  Result<Value> call_special(const Call& call, const Steps& steps);
  // The scalar arguments at each step, in order.
  Result<std::vector<Scalars>> parameters(const Call& call, const Steps& steps);
  Result<Columns> timestamp(const Expression& argument, const Steps& steps);
  Result<Columns> absent(const Call& call, const Steps& steps);
  Result<Columns> change_labels(const Call& call, const Steps& steps);
  Result<Columns> sorted(const Call& call, const Steps& steps);
  // evaluator_histogram.cc
  Result<Columns> classic_histogram(const Call& call, const Steps& steps);
  static Scalars to_scalar(const Columns& columns, const Steps& steps);

  // evaluator_aggregate.cc
  Result<Columns> aggregate(const Aggregation& aggregation, const Steps& steps);
  Result<Columns> count_values(const Aggregation& aggregation, const Columns& columns, const std::string& label,
                               const Steps& steps);

  // evaluator_binary.cc
  Result<Value> binary(const Binary& binary, const Steps& steps);
  Result<Columns> match_vectors(const Binary& binary, Columns left, Columns right, const Steps& steps);
  Result<Columns> combine_sets(const Binary& binary, Columns left, Columns right, const Steps& steps);

  SeriesSource& source_;
  const QueryTimes times_;
  const QueryOptions& options_;
  size_t samples_ = 0;
  size_t held_ = 0;  // bytes
  size_t peak_ = 0;
  Annotations annotations_;
};

}  // namespace monitor::query

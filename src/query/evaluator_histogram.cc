#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "query/evaluator_impl.h"
#include "query/histogram.h"

namespace monitor::query {
namespace {

struct Histogram {
  Labels labels;
  std::string name;
  std::vector<std::pair<double, size_t>> buckets;  // bound and column
};

std::optional<double> bound_of(const Labels& labels) {
  const std::string_view text = labels.get("le");
  if (text == "+Inf" || text == "Inf") return std::numeric_limits<double>::infinity();
  return parse_double(text);
}

// Series that differ in nothing but "le" are one histogram. Those without a bound are left out.
std::vector<Histogram> histograms_of(const Columns& columns, size_t begin, Annotations& annotations) {
  static const std::vector<std::string> kApart = {"le"};
  std::vector<Histogram> found;
  std::unordered_map<Labels, size_t, LabelsHash> places;
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto bound = bound_of(columns[i].labels);
    if (!bound || std::isnan(*bound)) {
      if (!columns[i].any()) continue;
      std::string text =
          "bucket label \"le\" is missing or has a malformed value of " + quote_short(columns[i].labels.get("le"));
      if (!columns[i].labels.name().empty()) text += " for metric name " + quote_short(columns[i].labels.name());
      annotations.warn(text, begin);
      continue;
    }
    // Histograms of different names are different ones, although the result has no name.
    const auto [place, is_new] = places.try_emplace(columns[i].labels.without(kApart), found.size());
    if (is_new) {
      found.push_back(
          {.labels = place->first.without_metric(), .name = std::string(place->first.name()), .buckets = {}});
    }
    found[place->second].buckets.emplace_back(*bound, i);
  }
  return found;
}

}  // namespace

Result<Columns> Evaluator::classic_histogram(const Call& call, const Steps& steps) {
  auto given = parameters(call, steps);
  if (!given) return given.error();
  auto columns = columns_of(*call.arguments.back(), steps);
  if (!columns) return columns;
  if (auto status = spend(columns->size() * steps.count, columns->size()); !status) return status.error();
  if (call.function->special == SpecialFunction::kHistogramQuantile) check_quantiles((*given)[0], *call.arguments[0]);
  Columns result;
  std::vector<Bucket> buckets;
  std::optional<MonotonicityFix> fix;
  const size_t begin = call.arguments.back()->begin;
  for (Histogram& histogram : histograms_of(*columns, begin, annotations_)) {
    if (auto status = hold_column(histogram.labels, steps); !status) return status.error();
    Column column{.labels = std::move(histogram.labels), .values = std::vector<double>(steps.count, no_value())};
    for (size_t step = 0; step < steps.count; ++step) {
      buckets.clear();
      for (const auto& [bound, index] : histogram.buckets) {
        const double count = (*columns)[index].values[step];
        if (has_value(count)) buckets.push_back({.upper = bound, .count = count});
      }
      if (buckets.empty()) continue;
      column.values[step] = call.function->special == SpecialFunction::kHistogramQuantile
                                ? bucket_quantile((*given)[0][step], buckets, fix)
                                : bucket_fraction((*given)[0][step], (*given)[1][step], buckets);
      if (fix) annotations_.inform_of_fix(histogram.name, *fix, steps.at(step), begin);
    }
    result.push_back(std::move(column));
  }
  return result;
}

}  // namespace monitor::query

#include "query/functions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/text.h"
#include "query/math_functions.h"
#include "query/range_functions.h"

namespace monitor::query {
namespace {

using enum ValueType;

FunctionSpec over_range(std::string_view name, RangeFunction function, bool keeps_name = false) {
  return {.name = name, .arguments = {kMatrix}, .range = function, .keeps_name = keeps_name};
}

FunctionSpec of_value(std::string_view name, MathFunction function) {
  return {.name = name, .arguments = {kVector}, .math = function};
}

// Of a vector of times, or of now.
FunctionSpec of_time(std::string_view name, MathFunction function) {
  return {.name = name, .arguments = {kVector}, .optional = 1, .math = function};
}

template <double (*Function)(double)>
std::optional<double> plain(double value, std::span<const double> /*none*/) {
  return Function(value);
}

FunctionSpec special(std::string_view name, SpecialFunction function, std::vector<ValueType> arguments,
                     int optional = 0, ValueType result = kVector) {
  return {.name = name, .arguments = std::move(arguments), .optional = optional, .result = result, .special = function};
}

std::vector<FunctionSpec> functions_of_ranges() {
  return {
      over_range("avg_over_time", range::avg),
      over_range("changes", range::changes),
      over_range("count_over_time", range::count),
      over_range("delta", range::delta),
      over_range("deriv", range::deriv),
      over_range("first_over_time", range::first, true),
      over_range("idelta", range::idelta),
      over_range("increase", range::increase),
      over_range("irate", range::irate),
      over_range("last_over_time", range::last, true),
      over_range("mad_over_time", range::median_deviation),
      over_range("max_over_time", range::max),
      over_range("min_over_time", range::min),
      over_range("present_over_time", range::present),
      over_range("rate", range::rate),
      over_range("resets", range::resets),
      over_range("stddev_over_time", range::stddev),
      over_range("stdvar_over_time", range::stdvar),
      over_range("sum_over_time", range::sum),
      over_range("ts_of_first_over_time", range::time_of_first),
      over_range("ts_of_last_over_time", range::time_of_last),
      over_range("ts_of_max_over_time", range::time_of_max),
      over_range("ts_of_min_over_time", range::time_of_min),
      {.name = "predict_linear", .arguments = {kMatrix, kScalar}, .range = range::predict_linear},
      {.name = "double_exponential_smoothing",
       .arguments = {kMatrix, kScalar, kScalar},
       .range = range::smoothed,
       .check = range::check_smoothing},
      {.name = "quantile_over_time", .arguments = {kScalar, kMatrix}, .range = range::quantile_of},
  };
}

std::vector<FunctionSpec> functions_of_values() {
  return {
      of_value("abs", plain<std::abs>),
      of_value("acos", plain<std::acos>),
      of_value("acosh", plain<std::acosh>),
      of_value("asin", plain<std::asin>),
      of_value("asinh", plain<std::asinh>),
      of_value("atan", plain<std::atan>),
      of_value("atanh", plain<std::atanh>),
      of_value("ceil", plain<std::ceil>),
      of_value("cos", plain<std::cos>),
      of_value("cosh", plain<std::cosh>),
      of_value("deg", math::degrees),
      of_value("exp", plain<std::exp>),
      of_value("floor", plain<std::floor>),
      of_value("ln", plain<std::log>),
      of_value("log10", plain<std::log10>),
      of_value("log2", plain<std::log2>),
      of_value("rad", math::radians),
      of_value("sgn", math::sign),
      of_value("sin", plain<std::sin>),
      of_value("sinh", plain<std::sinh>),
      of_value("sqrt", plain<std::sqrt>),
      of_value("tan", plain<std::tan>),
      of_value("tanh", plain<std::tanh>),
      {.name = "clamp", .arguments = {kVector, kScalar, kScalar}, .math = math::clamp},
      {.name = "clamp_max", .arguments = {kVector, kScalar}, .math = math::clamp_max},
      {.name = "clamp_min", .arguments = {kVector, kScalar}, .math = math::clamp_min},
      {.name = "round", .arguments = {kVector, kScalar}, .optional = 1, .math = math::round},

      of_time("day_of_month", math::day_of_month),
      of_time("day_of_week", math::day_of_week),
      of_time("day_of_year", math::day_of_year),
      of_time("days_in_month", math::days_in_month),
      of_time("hour", math::hour),
      of_time("minute", math::minute),
      of_time("month", math::month),
      of_time("year", math::year),
  };
}

std::vector<FunctionSpec> special_functions() {
  using Of = SpecialFunction;
  return {
      special("absent", Of::kAbsent, {kVector}),
      special("absent_over_time", Of::kAbsentOverTime, {kMatrix}),
      special("agent_cpu_seconds", Of::kOwn, {kString}, 1),
      special("agent_state", Of::kOwn, {kString, kString}, 2),
      special("certificate_life_seconds", Of::kOwn, {kString}, 1),
      special("certificate_seconds", Of::kOwn, {kString}, 1),
      special("clock_skew_seconds", Of::kOwn, {kString}, 1),
      special("config_revision", Of::kOwn, {kString}, 1),
      special("due_ticks", Of::kOwn, {kString}, 1),
      special("gap_seconds", Of::kOwn, {kString}, 1),
      special("histogram_fraction", Of::kHistogramFraction, {kScalar, kScalar, kVector}),
      special("histogram_quantile", Of::kHistogramQuantile, {kScalar, kVector}),
      special("label_join", Of::kLabelJoin, {kVector, kString, kString, kString}, FunctionSpec::kRepeats),
      special("label_replace", Of::kLabelReplace, {kVector, kString, kString, kString, kString}),
      special("late_fraction", Of::kOwn, {kString}, 1),
      special("made_points", Of::kOwn, {kString}, 1),
      special("missed_ticks", Of::kOwn, {kString}, 1),
      special("missing_batches", Of::kOwn, {kString}, 1),
      special("pi", Of::kPi, {}, 0, kScalar),
      special("plugin_dropped_points", Of::kOwn, {kString}, 1),
      special("plugin_dropped_ticks", Of::kOwn, {kString}, 1),
      special("plugin_failures", Of::kOwn, {kString}, 1),
      special("plugin_tick_seconds", Of::kOwn, {kString}, 1),
      special("scalar", Of::kScalar, {kVector}, 0, kScalar),
      special("sort", Of::kSort, {kVector}),
      special("sort_by_label", Of::kSortByLabel, {kVector, kString}, FunctionSpec::kRepeats),
      special("sort_by_label_desc", Of::kSortByLabelDescending, {kVector, kString}, FunctionSpec::kRepeats),
      special("sort_desc", Of::kSortDescending, {kVector}),
      special("time", Of::kTime, {}, 0, kScalar),
      special("timestamp", Of::kTimestamp, {kVector}),
      special("unusual", Of::kUnusual, {kVector}, 1),
      special("unusual_fraction", Of::kOwn, {kString}, 1),
      special("vector", Of::kVector, {kScalar}),
      special("waiting_batches", Of::kOwn, {kString}, 1),
  };
}

const std::vector<FunctionSpec>& table() {
  static const std::vector<FunctionSpec> functions = [] {
    std::vector<FunctionSpec> all = functions_of_ranges();
    for (FunctionSpec& one : functions_of_values()) all.push_back(std::move(one));
    for (FunctionSpec& one : special_functions()) all.push_back(std::move(one));
    return all;
  }();
  return functions;
}

}  // namespace

size_t FunctionSpec::least_arguments() const {
  return arguments.size() - (optional == kRepeats ? 1 : static_cast<size_t>(optional));
}

std::span<const FunctionSpec> all_functions() { return table(); }

const FunctionSpec* find_function(std::string_view name) {
  const auto found = std::ranges::find(table(), name, &FunctionSpec::name);
  return found == table().end() ? nullptr : &*found;
}

bool unsupported_function(std::string_view name) {
  static constexpr std::array<std::string_view, 12> kOthers = {"end",
                                                               "histogram_avg",
                                                               "histogram_count",

                                                               "histogram_quantiles",
                                                               "histogram_stddev",
                                                               "histogram_stdvar",
                                                               "histogram_sum",
                                                               "info",
                                                               "max_of",
                                                               "min_of",
                                                               "range",
                                                               "step"};
  return std::ranges::find(kOthers, name) != kOthers.end() || name == "start" || name == "start_timestamp";
}

std::optional<std::string> nearest_function(std::string_view name) {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const FunctionSpec& function : table()) all.emplace_back(function.name);
    return all;
  }();
  // The comparison takes time with the product of both lengths, and no function's name is long.
  return nearest(name.substr(0, 64), names);
}

}  // namespace monitor::query

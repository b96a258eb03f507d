// The functions of PromQL. Each is declared once, in the table of functions.cc: its name, its types and what computes
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/ast.h"
#include "query/series.h"

namespace monitor::query {

// The samples of one series in the window of a range selector at one evaluation.
struct Window {
  std::span<const Point> points;            // never empty; ascending; no staleness markers
  int64_t begin_ms = 0;                     // exclusive
  int64_t end_ms = 0;                       // inclusive
  int64_t evaluation_ms = 0;                // the step's time, without the offset
  std::span<const double> parameters = {};  // the scalar arguments, in order
};

// Computes the value of a range vector's series at one step; nothing: it has no value then.
using RangeFunction = std::optional<double> (*)(const Window& window);
// Computes a value from an instant vector's value and the scalar arguments.
using MathFunction = std::optional<double> (*)(double value, std::span<const double> parameters);

// Returns what is wrong with the scalar arguments; empty: nothing.
using ParameterCheck = std::string (*)(std::span<const double> parameters);

// Functions that are neither of the two; evaluator_calls.cc computes them.
enum class SpecialFunction : uint8_t {
  kNone,
  kTime,
  kPi,
  kVector,
  kScalar,
  kTimestamp,
  kAbsent,
  kAbsentOverTime,
  kLabelReplace,
  kLabelJoin,
  kSort,
  kSortDescending,
  kSortByLabel,
  kSortByLabelDescending,
  kHistogramQuantile,
  kHistogramFraction,
  kOwn,     // of this program: what is known of agents, from SeriesSource::own_series()
  kUnusual  // of this program: the scores of a selector's series, from SeriesSource::own_series()
};

struct FunctionSpec {
  std::string_view name;
  std::vector<ValueType> arguments;
  // How many of the last arguments are optional; kRepeats: the last argument may occur any number of times, or not at
  // all.
  int optional = 0;
  ValueType result = ValueType::kVector;
  RangeFunction range = nullptr;
  MathFunction math = nullptr;
  SpecialFunction special = SpecialFunction::kNone;
  // True if the result keeps the metric's name: for functions that select a sample instead of computing one.
  bool keeps_name = false;
  ParameterCheck check = nullptr;

  static constexpr int kRepeats = -1;
  size_t least_arguments() const;
};

// All functions; they live as long as the program.
std::span<const FunctionSpec> all_functions();
// nullptr if there is none.
const FunctionSpec* find_function(std::string_view name);
// True if Prometheus has a function of this name that this program does not support.
bool unsupported_function(std::string_view name);
// Returns the function with the most similar name; nothing if none is similar.
std::optional<std::string> nearest_function(std::string_view name);

}  // namespace monitor::query

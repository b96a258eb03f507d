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
  int64_t evaluation_ms = 0;                // what the step's time is, whatever the offset
  std::span<const double> parameters = {};  // the scalar arguments, in order
};

// Of a range vector's series at one step; nothing if it has no value then.
using RangeFunction = std::optional<double> (*)(const Window& window);
// Of an instant vector's value and the scalar arguments.
using MathFunction = std::optional<double> (*)(double value, std::span<const double> parameters);

// What is wrong with the scalar arguments; empty: nothing.
using ParameterCheck = std::string (*)(std::span<const double> parameters);

// What is neither of the two; evaluator_calls.cc computes it.
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
  kOwn  // of this program, from SeriesSource::own_series()
};

struct FunctionSpec {
  std::string_view name;
  std::vector<ValueType> arguments;
  // How many of the last arguments may be missing; kRepeats: the last may be given any number of times, also none.
  int optional = 0;
  ValueType result = ValueType::kVector;
  RangeFunction range = nullptr;
  MathFunction math = nullptr;
  SpecialFunction special = SpecialFunction::kNone;
  // Whether a series keeps its metric's name: true for functions that choose a sample and do not compute one.
  bool keeps_name = false;
  ParameterCheck check = nullptr;

  static constexpr int kRepeats = -1;
  size_t least_arguments() const;
};

// nullptr if there is none.
const FunctionSpec* find_function(std::string_view name);
// Whether Prometheus has a function of this name that this program does not have.
bool unsupported_function(std::string_view name);
// The function whose name is the most similar; nothing if none is similar.
std::optional<std::string> nearest_function(std::string_view name);

}  // namespace monitor::query

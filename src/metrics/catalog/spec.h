// Declarations of metrics. A collector declares its selectors, their options and its metrics once, in one file of this
// folder. Everything else that names them derives from the declaration: the configuration's schema and validation, the
// unit and kind of each series, the simulator, docs/metrics.md, HELP and UNIT for Prometheus, and the titles of charts.
//
// The declarations are data without behaviour, so that a program can describe a metric without linking its collector.
// All of them are constants in static storage.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "metrics/series.h"

namespace monitor::metrics {

// An option of a selector, as in {"name": "cpu", "per_core": true}.
struct OptionSpec {
  enum class Type {
    kFlag,      // true or false; read with MetricSelection::has()
    kPatterns,  // a list of patterns: `include` and `exclude`; others are read with MetricSelection::patterns_of()
    kCount,     // a whole number; read with MetricSelection::count()
  };
  // The bounds of a kCount, and its value if the configuration has none.
  struct Count {
    int64_t usual = 0;
    int64_t min = 0;
    int64_t max = 0;
    bool operator==(const Count&) const = default;
  };
  std::string_view name;
  Type type = Type::kFlag;
  Count count = {};
  std::string_view since;  // the version that introduced it
  std::string_view description;
};

// A value of `name` in the configuration's "metrics".
struct SelectorSpec {
  std::string_view name;
  std::string_view since;
  std::string_view description;
  std::span<const OptionSpec> options = {};
};

struct LabelSpec {
  std::string_view key;
  std::string_view values;  // separated by commas
};

struct MetricSpec {
  std::string_view name;
  std::string_view title;  // heading of a chart
  std::string_view unit;   // UCUM
  Kind kind = Kind::kGauge;
  int exponent = 0;              // every value is an integer times 10^exponent
  std::string_view selectors;    // the selectors that produce it, separated by commas
  std::string_view option = {};  // the flag that adds it; empty: the selector alone
  // Labels of the host's own series, without those of its parts (devices, processors).
  std::span<const LabelSpec> labels = {};
  double typical = 0;            // a plausible value for the simulator; for a counter, its growth per second
  std::string_view description;  // one sentence

  // The definition, in Markdown, for docs/metrics.md.
  std::string_view source;  // relative to /proc or /sys
  std::string_view formula;
  std::string_view rules = {};   // what is counted once, and what is not counted
  std::string_view equals = {};  // tools that show the same figure
};

struct CollectorSpec {
  std::string_view name;
  std::span<const SelectorSpec> selectors;
  std::span<const MetricSpec> metrics;
  // Labels that tell the series of parts apart (arrays, memory modules, containers). No values: any.
  std::span<const LabelSpec> part_labels = {};
};

inline constexpr int kShareExponent = -4;  // shares, 0 to 1
inline constexpr int kHundredths = -2;     // load averages and seconds, as the kernel prints them
// A process's share of all processors: with 256 of them, a step is 0.03 % of one.
inline constexpr int kFineShareExponent = -6;

// Options that several collectors have.
inline constexpr OptionSpec kCounters = {
    .name = "counters",
    .since = "0.1.0",
    .description = "Adds the kernel's counters, named like the rates without .rate"};
inline constexpr OptionSpec kInclude = {
    .name = "include",
    .type = OptionSpec::Type::kPatterns,
    .since = "0.2.0",
    .description =
        "Limits the sum and the series to disks, interfaces or mount points that match one of these patterns "
        "(wildcards * and ?). Also selects those that the sum excludes by default"};
inline constexpr OptionSpec kExclude = {
    .name = "exclude",
    .type = OptionSpec::Type::kPatterns,
    .since = "0.2.0",
    .description = "Excludes disks, interfaces or mount points that match one of these patterns"};
inline constexpr OptionSpec kTop = {
    .name = "top",
    .type = OptionSpec::Type::kCount,
    .count = {.usual = 10, .min = 0, .max = 100},
    .since = "0.2.0",
    .description =
        "How many processes have series of their own: so many with the most CPU time, so many with the most "
        "memory, and so many with the most I/O. With 0, only the totals are collected"};

}  // namespace monitor::metrics

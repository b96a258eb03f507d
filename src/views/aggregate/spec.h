// AggregateSpec: what is aggregated, over which windows, by which dimensions. Plain data and pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace monitor::analysis {

// A figure of a window.
struct Stat {
  enum class Kind { kAvg, kMin, kMax, kSum, kCount, kFirst, kLast, kRate, kQuantile };
  Kind kind = Kind::kAvg;
  double quantile = 0;  // only of kQuantile, in [0, 1]
  std::string name;     // as given: "p99.9"
};

// A dimension of the groups.
struct Dimension {
  enum class Kind {
    kAgent,
    kHost,
    kLabel,   // one label, `name`
    kLabels,  // all labels of the series: each series is its own group
  };
  Kind kind = Kind::kAgent;
  std::string name;  // as in the output: "agent", "host", "labels", or the label's name
};

struct AggregateSpec {
  // Bounds the names, the memory and the snapshot of each partition.
  static constexpr size_t kMaxSeries = 100'000;
  static constexpr size_t kMaxCells = 1'000'000;
  static constexpr size_t kMaxPanesOfWindow = 1'440;

  std::string name = "aggregate";  // part of the keys, so that several programs can share a topic
  std::string metric;              // metrics::selects(); empty: all
  std::string agent;               // shell pattern over agent ids; empty: all
  std::vector<Dimension> by;
  std::vector<Stat> stats;
  int64_t width_ns = 60 * kNanosPerSecond;
  int64_t slide_ns = 60 * kNanosPerSecond;  // from the start of one window to the next
  // How long after its end a window still waits for data.
  int64_t lateness_ns = 10 * kNanosPerSecond;
  // How long after that late data still corrects it.
  int64_t keep_ns = int64_t{15} * 60 * kNanosPerSecond;
  size_t max_series = kMaxSeries;  // of a partition
  size_t max_cells = kMaxCells;    // of a partition: groups with values, in all panes

  bool has(Stat::Kind kind) const;
  bool has(Dimension::Kind kind) const;
  // Windows consist of panes, so that sliding windows store each value once. All windows start and end with a pane.
  int64_t pane_ns() const;
  // The parts that decide the state. Snapshots can only be continued with the same.
  std::string fingerprint() const;
};

// Parses "avg,p95,count". kInvalidArgument names the unknown word and the known ones.
Result<std::vector<Stat>> parse_stats(std::string_view text);
// Parses "agent,label"; "label" and "labels" are all labels, "metric" is always a dimension, and "none" is none.
// "label:NAME" is the label NAME, also if it is called agent, host, metric or label.
Result<std::vector<Dimension>> parse_dimensions(std::string_view text);
// Checks widths and slides: each positive, the slide not above the width, at most kMaxPanesOfWindow panes.
Status check(const AggregateSpec& spec);

// The start of the last multiple of `step_ns` at or before the time, also for negative times.
int64_t floor_to(int64_t time_ns, int64_t step_ns);

}  // namespace monitor::analysis

// Cell: the values of one group in one pane, reduced to what every statistic needs. Cells merge exactly: the order of
// values and merges changes nothing but the last digits of sums.
//
// Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sketch/ddsketch.h"
#include "views/aggregate/spec.h"

namespace monitor::analysis {

// Values of one series without a gap between them, for rates. A counter that falls was reset: it has restarted from 0.
// Whether it fell is only known for values that follow one another. So values are joined only if no other value can
// come between them: their batches have consecutive sequences of the same run of the agent.
struct ValueRun {
  uint32_t series = 0;
  int32_t partition = 0;  // of the series; series are numbered in each partition
  bool counter = false;
  uint64_t incarnation = 0;
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
  int64_t first_ns = 0;
  int64_t last_ns = 0;
  double first = 0;
  double last = 0;
  double increase = 0;  // of a counter, from first to last
};

struct Sample {
  int64_t time_ns = 0;
  double value = 0;
  uint32_t series = 0;
  bool counter = false;
  uint64_t incarnation = 0;  // the first bytes of the run's random id
  uint64_t sequence = 0;
};

// What a cell must keep besides sums and extremes.
struct Wanted {
  explicit Wanted(const AggregateSpec& spec)
      : quantiles(spec.has(Stat::Kind::kQuantile)), rates(spec.has(Stat::Kind::kRate)) {}
  bool quantiles;
  bool rates;
};

class Cell {
 public:
  // A series with more runs in one cell joins its two oldest ones: its rate is then wrong if late data between the two
  // contains a reset.
  static constexpr size_t kMaxRunsOfSeries = 32;

  // NaN is not a value, and is left out.
  void add(const Sample& sample, Wanted wanted);
  // `partition` of the other cell's series.
  void merge(const Cell& other, int32_t partition);

  uint64_t count() const { return count_; }
  // NaN if the cell does not have it: a rate needs two values of a series, and a mean needs one.
  double value(const Stat& stat) const;

  // True if every time in the cell is in [begin_ns, end_ns).
  bool is_within(int64_t begin_ns, int64_t end_ns) const;

  void encode(std::string& out) const;
  // `series`: number of known series. kDataLoss: malformed.
  static Result<Cell> decode(std::string_view bytes, size_t series);

 private:
  void add_to_sum(double value);
  void add_to_runs(const Sample& sample);
  size_t first_run_of(uint32_t series) const;
  void join_neighbours(size_t at);
  void limit_runs(size_t begin);
  double rate() const;

  uint64_t count_ = 0;
  double sum_ = 0;
  double rest_ = 0;  // what rounding has taken from the sum
  double min_ = 0;
  double max_ = 0;
  int64_t first_ns_ = 0;
  int64_t last_ns_ = 0;
  double first_ = 0;
  double last_ = 0;
  std::unique_ptr<sketch::DDSketch> sketch_;  // only if a quantile is wanted
  std::vector<ValueRun> runs_;                // only if a rate is wanted; ordered by series, then by time
};

}  // namespace monitor::analysis

// derive: computes new points from those that match `match`. `what` is one of:
//   rate            growth since the last tick, per second; a value that fell is a new baseline
//   delta           difference to the last tick
//   moving_average  mean of the last `window` (5) ticks
//   sum             sum over points of the same metric name and the same values of the labels `by` (none: all points)
// The name of the new series is the old one with `.rate`, `.delta`, `.average`, `.sum` or `suffix` appended.
// `"keep": false` drops the points from which it was computed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugins/api/plugin.h"

namespace monitor::agent {

class Derive final : public Plugin {
 public:
  void initialize(Options& options, metrics::SeriesTable& table) override;
  bool run(metrics::Tick& tick) override;
  size_t points_taken_out() const override { return taken_out_; }
  // Points are lost through `keep`, or if the table of series is full.
  std::string_view drop_reason() const override { return metrics::reason::kFiltered; }
  void forget_series(const std::vector<metrics::SeriesId>& gone) override;
  std::string save() const override;
  void restore(std::string_view state) override;

 private:
  enum class What { kRate, kDelta, kMovingAverage, kSum };
  // State of a series.
  struct Source {
    bool matches = false;
    std::optional<metrics::SeriesId> to;  // the derived series; nothing: the table is full
  };
  struct Memory {
    int64_t mono_ns = 0;
    double last = 0;
    std::vector<double> window;  // a ring; once it is full, the oldest value is at `next`
    size_t next = 0;
  };

  Source source_of(metrics::SeriesId id) const;
  // Returns the derived value; nothing for the first value of a difference.
  std::optional<double> derive(metrics::SeriesId id, double value, int64_t mono_ns);

  What what_ = What::kRate;
  std::vector<SeriesPattern> match_;
  std::vector<std::string> by_;
  std::string suffix_;
  size_t window_ = 5;
  bool keep_ = true;
  size_t taken_out_ = 0;  // points removed from the last tick
  metrics::SeriesTable* table_ = nullptr;
  std::optional<PerSeries<Source>> sources_;
  std::map<metrics::SeriesId, Memory> memories_;
};

}  // namespace monitor::agent

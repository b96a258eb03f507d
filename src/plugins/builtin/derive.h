// derive: makes new points of those that match `match`, as `what` says:
//   rate            the difference to the last tick, a second; a value that went down is a new baseline
//   delta           the difference to the last tick
//   moving_average  the mean of the last `window` (5) ticks
//   sum             the sum of those that have the same values of the labels `by` (none: of all), by metric name
// The new series is named as the old one with `.rate`, `.delta`, `.average` or `.sum` behind it; `suffix` is another
// ending. `"keep": false` leaves out what it was made of.
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
  // Points are lost where `keep` says so, and where the table of series is full.
  std::string_view drop_reason() const override { return metrics::reason::kFiltered; }
  void forget_series(const std::vector<metrics::SeriesId>& gone) override;
  std::string save() const override;
  void restore(std::string_view state) override;

 private:
  enum class What { kRate, kDelta, kMovingAverage, kSum };
  // Of a series: where its points go, and what is known of it.
  struct Source {
    bool matches = false;
    std::optional<metrics::SeriesId> to;  // nothing: the table is full
  };
  struct Memory {
    int64_t mono_ns = 0;
    double last = 0;
    std::vector<double> window;  // the oldest at `next` once it is full
    size_t next = 0;
  };

  Source source_of(metrics::SeriesId id) const;
  // The derived value; nothing yet for the first of a difference.
  std::optional<double> derive(metrics::SeriesId id, double value, int64_t mono_ns);

  What what_ = What::kRate;
  std::vector<SeriesPattern> match_;
  std::vector<std::string> by_;
  std::string suffix_;
  size_t window_ = 5;
  bool keep_ = true;
  size_t taken_out_ = 0;  // points, of the last tick
  metrics::SeriesTable* table_ = nullptr;
  std::optional<PerSeries<Source>> sources_;
  std::map<metrics::SeriesId, Memory> memories_;
};

}  // namespace monitor::agent

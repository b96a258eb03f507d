// What a collector is: it reads one source of the kernel and adds points to a tick.
//
// A collector keeps its files open and its series numbers at hand, so that a tick costs a few system calls and no
// allocation. Rates are differences over the measured monotonic time between two reads; a counter that went backwards
// is a new baseline and gives no value. Everything on the agent's loop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "metrics/catalog/catalog.h"
#include "metrics/series.h"

namespace monitor::agent {

// When a tick is read.
struct Moment {
  int64_t wall_ns = 0;
  int64_t mono_ns = 0;
};

inline constexpr metrics::SeriesId kNoSeries = UINT32_MAX;

// Adds points to a tick; counts what the series table had no room for.
class TickBuilder {
 public:
  TickBuilder(metrics::SeriesTable& table, metrics::Tick& tick) : table_(table), tick_(tick) {}

  // The number of a declared metric's series; kNoSeries when the table is full.
  metrics::SeriesId intern(std::string_view metric, metrics::Labels labels = {}) {
    return intern(metrics::declared_series(metric, std::move(labels)));
  }
  metrics::SeriesId intern(metrics::Series series) { return table_.intern(std::move(series)).value_or(kNoSeries); }

  void add_integer(metrics::SeriesId id, int64_t value) {
    if (id == kNoSeries) {
      ++over_cardinality_;
      return;
    }
    metrics::Point point;
    point.series = id;
    point.integer = value;
    tick_.points.push_back(point);
  }
  // part / whole, of a series with exponent -4: at most 1; of nothing 0.
  void add_share(metrics::SeriesId id, uint64_t part, uint64_t whole);

  uint64_t over_cardinality() const { return over_cardinality_; }

 private:
  metrics::SeriesTable& table_;
  metrics::Tick& tick_;
  uint64_t over_cardinality_ = 0;
};

class Collector {
 public:
  virtual ~Collector() = default;
  // What of its source is wanted; called before the first read and at every change. What it measured so far stays.
  virtual void configure(const std::vector<config::MetricSelection>& selections) = 0;
  virtual bool wanted() const = 0;
  // Takes over what one of the same kind has read, so that rates go on from there. `from` has been configured, and
  // read.
  virtual void adopt(const Collector& /*from*/) {}
  // Numbers of series are not what they were: all are asked for anew.
  virtual void forget_series() = 0;

  // Reads the source and adds what there is to say; the first read makes the baseline of rates. An error: nothing was
  // added, and the source is tried again at the next tick.
  virtual Status collect(const Moment& now, TickBuilder& out) = 0;
};

// A number that only grows, seen at two moments.
class Delta {
 public:
  // The growth since the last call; nothing at the first one, and after the counter went backwards.
  bool update(uint64_t value, uint64_t& growth) {
    const bool usable = seen_ && value >= last_;
    growth = usable ? value - last_ : 0;
    last_ = value;
    seen_ = true;
    return usable;
  }

 private:
  uint64_t last_ = 0;
  bool seen_ = false;
};

// The selection of that name; nullptr: not selected.
const config::MetricSelection* find_selection(const std::vector<config::MetricSelection>& selections,
                                              std::string_view name);

// Whether one of the patterns (* and ? stand for any) matches.
bool matches_any(const std::vector<std::string>& patterns, std::string_view text);

// growth over a time, rounded to the nearest, per second; 0 ns gives 0.
int64_t per_second(uint64_t growth, int64_t elapsed_ns);

}  // namespace monitor::agent

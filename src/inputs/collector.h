// Collector: reads one source of the kernel and adds points to a tick.
//
// A collector keeps its files open and caches its series ids, so that a tick costs a few system calls and no
// allocation. A rate is the growth between two reads, divided by the monotonic time between them. A counter that falls
// starts a new baseline and yields no value in that tick. All methods run on the agent's loop.
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

// The time of a read, by both clocks.
struct Timestamp {
  int64_t wall_ns = 0;
  int64_t mono_ns = 0;
};

inline constexpr metrics::SeriesId kNoSeries = UINT32_MAX;

// Adds points to a tick, and counts the points whose series did not fit into the table.
class TickBuilder {
 public:
  TickBuilder(metrics::SeriesTable& table, metrics::Tick& tick) : table_(table), tick_(tick) {}

  // The number of a declared metric's series; kNoSeries if the table is full.
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
  // Adds part / whole, limited to 1, to a series with exponent -4. A whole of 0 yields 0.
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
  // Selects what to read. Called before the first read and after every change. Baselines stay valid.
  virtual void configure(const std::vector<config::MetricSelection>& selections) = 0;
  virtual bool wanted() const = 0;
  // Takes over the baselines of a collector of the same class, so that rates continue without a gap. `from` must be
  // configured and must have read its source.
  virtual void adopt(const Collector& /*from*/) {}
  // Discards cached series ids. Called when the table has reassigned numbers.
  virtual void forget_series() = 0;

  // Reads the source and adds its points. The first read only sets the baseline of rates. After an error no point was
  // added, and the next tick tries again.
  virtual Status collect(const Timestamp& now, TickBuilder& out) = 0;
};

// The growth of a counter between two reads.
class Delta {
 public:
  // Sets `growth` to the growth since the last call. Returns false on the first call, and if the counter fell.
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

// The selection with that name; nullptr if it is not selected.
const config::MetricSelection* find_selection(const std::vector<config::MetricSelection>& selections,
                                              std::string_view name);

// True if `text` matches one of the patterns, whose wildcards are * and ?.
bool matches_any(const std::vector<std::string>& patterns, std::string_view text);

// Growth per second, rounded to the nearest integer; 0 if no time has passed.
int64_t per_second(uint64_t growth, int64_t elapsed_ns);

}  // namespace monitor::agent

// When what is read: metrics of one interval stand on one grid, which ticks at start + k x interval. A change of the
// configuration moves only what it names: a grid whose metrics and interval stay goes on undisturbed.
//
// Where an interval changes, the next tick is at max(now, min(old next, last + new interval)). Metrics that leave a
// grid for another interval tick once at that time on a grid of their own, and then join the one of that interval, if
// there is one. A new metric joins the grid of its interval at once, or begins one: its first tick is after
// min(interval, 1 s).
//
// Pure: times are handed in, monotonic nanoseconds but for last_wall_ns. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"

namespace monitor::agent {

class Grids {
 public:
  struct Grid {
    uint64_t id = 0;
    int64_t interval_ns = 0;
    int64_t next_due = 0;
    int64_t last_due = 0;
    int64_t last_wall_ns = 0;  // when it was read last: its rates are since then
    bool joins = false;        // another one after its next tick
    // Of metrics that have joined it since: when they were due last.
    std::map<std::string, int64_t> joined;
    std::vector<config::MetricSelection> selections;
  };

  // Ids of grids that are no more are returned.
  std::vector<uint64_t> configure(const config::Settings& settings, int64_t mono_ns, int64_t wall_ns);
  const std::vector<Grid>& all() const { return grids_; }
  Grid& at(size_t index) { return grids_[index]; }
  // INT64_MAX before the first configuration.
  int64_t next_due() const;

  struct Due {
    size_t index = 0;
    int64_t due = 0;      // the tick that begins now
    uint64_t missed = 0;  // ticks behind it, that fell due as well: counted, not made up
  };
  // The grid that is due first; it goes on to its next tick behind now.
  Due take(int64_t mono_ns);

  // After the tick of a grid that joins: the index of the one that has its metrics from now on, if there is one. Its
  // own is to be erased.
  std::optional<size_t> join(size_t index);
  void erase(size_t index) { grids_.erase(grids_.begin() + static_cast<std::ptrdiff_t>(index)); }

 private:
  void settle_joins(const std::vector<Grid>& old);
  void keep(Grid grid, std::vector<bool>& placed, int64_t mono_ns);
  void place_new(const config::MetricSelection& metric, int64_t mono_ns, int64_t wall_ns);
  Grid& begin(int64_t interval_ns, int64_t mono_ns, int64_t wall_ns);
  void order(Grid& grid) const;

  config::Settings settings_;
  std::vector<Grid> grids_;
  uint64_t last_id_ = 0;
};

}  // namespace monitor::agent

// SeriesRoom: evicts unused series from the agent's series table, and reports when the table is full. Runs on the
// agent's loop. Clock and table must outlive it. Times are monotonic.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "metrics/series.h"
#include "plugins/chain/chain.h"

namespace monitor::agent {

class SeriesRoom {
 public:
  SeriesRoom(const Clock& clock, metrics::SeriesTable& table) : clock_(clock), table_(table) {}

  // Keeps the tick's series for some of its intervals from now on.
  void keep(const metrics::Tick& tick);
  // Removes points that every server would reject; returns how many.
  size_t take_unfit(metrics::Tick& tick);
  // Series to evict now. None while there is enough room, or while a tick is in the chain. If only series that plugin
  // hosts refer to could be evicted, the hosts are asked to release them.
  std::vector<metrics::SeriesId> unneeded(Chain& chain);
  // Reports how many points of a tick had no room. Returns true if full() has changed.
  bool look(uint64_t dropped);
  // True while points are dropped because the table is full.
  bool full() const { return full_; }

 private:
  void let_go(Chain& chain);

  const Clock& clock_;
  metrics::SeriesTable& table_;
  bool full_ = false;
  uint64_t refusals_seen_ = 0;  // of the table
  // Monotonic time of the last such log line or action; 0: never.
  int64_t unfit_logged_ns_ = 0;
  int64_t full_logged_ns_ = 0;
  int64_t let_go_ns_ = 0;
};

}  // namespace monitor::agent

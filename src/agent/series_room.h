// The room in the table of series, as the agent uses it: which series are still needed, which give their room back, and
// what is told of it. On the agent's loop; clock and table must outlive it. Times are of the monotonic clock.
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

  // The tick's series are needed for some of its intervals from now on.
  void keep(const metrics::Tick& tick);
  // Takes points out that no server would take; returns how many.
  size_t take_unfit(metrics::Tick& tick);
  // Series that are to give their room back now: none while there is enough room, or a tick is in the chain. Where only
  // what plugin hosts know could go, they are told to let it go.
  std::vector<metrics::SeriesId> unneeded(Chain& chain);
  // After a tick of which so many points had no room. Whether full() has changed.
  bool look(uint64_t dropped);
  // Points are dropped since there is no room for more series.
  bool full() const { return full_; }

 private:
  void let_go(Chain& chain);

  const Clock& clock_;
  metrics::SeriesTable& table_;
  bool full_ = false;
  uint64_t refusals_seen_ = 0;  // of the table
  // When it was told or done last; 0: never.
  int64_t unfit_told_ns_ = 0;
  int64_t full_told_ns_ = 0;
  int64_t let_go_ns_ = 0;
};

}  // namespace monitor::agent

// DroppedRanges: batches of one incarnation that agents report as dropped. The same drop is reported many times: every
// batch carries it until one is acknowledged, it grows in the meantime, and the next run reports it again. Each
// sequence counts once. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/interval_set.h"
#include "metrics/batch.h"

namespace monitor::analysis {

class DroppedRanges {
 public:
  struct Added {
    uint64_t batches = 0;
    uint64_t points = 0;
  };
  // Returns the part that was not known yet. An invalid range (from 0, or reversed) adds nothing.
  Added add(metrics::Drop range);

  const IntervalSet& sequences() const { return sequences_; }
  const std::map<uint64_t, metrics::Drop>& ranges() const { return ranges_; }
  // Totals of the drops that are not in `stored`, by (stage, reason).
  std::map<std::pair<std::string, std::string>, Added> totals(const IntervalSet& stored) const;

 private:
  bool replaces(const metrics::Drop& range, Added& known) const;
  void insert_part(const metrics::Drop& range, uint64_t first, uint64_t last, Added& added);

  std::map<uint64_t, metrics::Drop> ranges_;  // by their first sequence; they do not overlap
  IntervalSet sequences_;                     // of all ranges
};

// value * part / whole without overflow; 0 if whole is 0.
uint64_t share(uint64_t value, uint64_t part, uint64_t whole);

}  // namespace monitor::analysis

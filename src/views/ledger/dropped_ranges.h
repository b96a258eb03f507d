// Batches of one incarnation that agents say they dropped. The same drop is told many times over: it rides in every
// batch until one is acknowledged, grows meanwhile, and is told anew by the next run. Each sequence counts once.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/interval_set.h"
#include "metrics/batch.h"

namespace monitor::analysis {

struct DroppedRange {
  uint64_t first = 0;
  uint64_t last = 0;
  std::string stage = {};
  std::string reason = {};
  // Of the range; fewer batches than sequences where an agent with very many drops told them as one.
  uint64_t batches = 0;
  uint64_t points = 0;
};

class DroppedRanges {
 public:
  struct Added {
    uint64_t batches = 0;
    uint64_t points = 0;
  };
  // What of it was not known yet. A range that is none (0, or backwards) adds nothing.
  Added add(DroppedRange range);

  const IntervalSet& sequences() const { return sequences_; }
  const std::map<uint64_t, DroppedRange>& ranges() const { return ranges_; }
  // What was dropped and is not in `stored` all the same, by (stage, reason).
  std::map<std::pair<std::string, std::string>, Added> totals(const IntervalSet& stored) const;

 private:
  bool replaces(const DroppedRange& range, Added& known) const;
  void insert_part(const DroppedRange& range, uint64_t first, uint64_t last, Added& added);

  std::map<uint64_t, DroppedRange> ranges_;  // by their first; they do not overlap
  IntervalSet sequences_;                    // all of them
};

// value * part / whole without overflow; 0 when whole is 0.
uint64_t share(uint64_t value, uint64_t part, uint64_t whole);

}  // namespace monitor::analysis

// RecentLosses: when an incarnation lost ticks and points that were not in a batch yet, by stage, reason and plugin.
// How many it lost in total is in its counters; this only tells when. Every batch carries a record until one is
// acknowledged, and the record grows in the meantime; it keeps its first time, by which it is recognized.
//
// Not thread-safe. Bounded: of more than kMost records of a kind, the oldest ones become one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "metrics/batch.h"

namespace monitor::analysis {

class RecentLosses {
 public:
  static constexpr size_t kMost = 16;
  static constexpr size_t kMostKinds = 64;

  struct Loss {
    uint64_t ticks = 0;
    uint64_t points = 0;
    int64_t first_time_ns = 0;  // of the lost ticks
    int64_t last_time_ns = 0;
  };
  struct Kind {
    std::string stage;
    std::string reason;
    std::string plugin;
    std::vector<Loss> losses;  // ascending in time; the first one may be the sum of several
  };

  // A record with sequences, or without a time, changes nothing.
  void add(const metrics::Drop& drop);
  const std::vector<Kind>& kinds() const { return kinds_; }

 private:
  Kind* kind_of(const metrics::Drop& drop);
  std::vector<Kind> kinds_;
};

}  // namespace monitor::analysis

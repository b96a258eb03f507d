// Delays: a histogram whose buckets are at most 1/64 of their value wide: percentiles in fixed memory. Not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

namespace monitor::load {

class Delays {
 public:
  Delays();
  // Negative values count as 0.
  void add(int64_t ns);

  uint64_t count() const { return count_; }
  int64_t max_ns() const { return max_ns_; }
  // The smallest value that is not exceeded by this share (0 to 1) of all delays, rounded up to its bucket. 0 without
  // delays.
  int64_t percentile_ns(double share) const;

 private:
  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  int64_t max_ns_ = 0;
};

}  // namespace monitor::load

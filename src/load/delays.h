// Delays, counted in buckets whose width is 1/64 of their value or less: percentiles in fixed memory. Not thread-safe.
#pragma once

#include <cstdint>
#include <vector>

namespace monitor::load {

class Delays {
 public:
  Delays();
  // Negative counts as 0.
  void add(int64_t ns);

  uint64_t count() const { return count_; }
  int64_t max_ns() const { return max_ns_; }
  // Of all, the smallest value that `share` (0 to 1) of them do not exceed, rounded up to its bucket; 0 when there are
  // none.
  int64_t percentile_ns(double share) const;

 private:
  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  int64_t max_ns_ = 0;
};

}  // namespace monitor::load

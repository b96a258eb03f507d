#include "load/delays.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace monitor::load {

namespace {

// Values below 128 have one bucket each; above, each power of two has 64 buckets.
constexpr size_t kSubBits = 6;
constexpr size_t kSub = size_t{1} << kSubBits;

size_t bucket_of(uint64_t value) {
  if (value < 2 * kSub) return value;
  const auto shift = static_cast<size_t>(std::bit_width(value)) - kSubBits - 1;
  return shift * kSub + static_cast<size_t>(value >> shift);
}

// The largest value of a bucket.
uint64_t top_of(size_t bucket) {
  if (bucket < 2 * kSub) return bucket;
  const size_t shift = bucket / kSub - 1;
  return ((bucket - shift * kSub + 1) << shift) - 1;
}

}  // namespace

Delays::Delays() : buckets_(bucket_of(INT64_MAX) + 1) {}

void Delays::add(int64_t ns) {
  const int64_t value = std::max<int64_t>(ns, 0);
  ++buckets_[bucket_of(static_cast<uint64_t>(value))];
  ++count_;
  max_ns_ = std::max(max_ns_, value);
}

int64_t Delays::percentile_ns(double share) const {
  if (count_ == 0) return 0;
  const auto wanted = std::max<uint64_t>(static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_))), 1);
  uint64_t seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= wanted) return std::min(static_cast<int64_t>(top_of(i)), max_ns_);
  }
  return max_ns_;
}

}  // namespace monitor::load

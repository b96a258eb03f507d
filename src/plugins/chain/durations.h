// Durations: quantiles of recent durations, within 20 %, in a small fixed amount of memory. Not thread-safe.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace monitor::agent {

class Durations {
 public:
  void record(int64_t ns) {
    ++counts_[bucket_of(ns)];
    // Older durations count less over time.
    if (++total_ < kForgetAt) return;
    total_ = 0;
    for (uint32_t& count : counts_) total_ += count /= 2;
  }

  // Returns 0 if nothing was recorded.
  int64_t quantile(double q) const {
    if (total_ == 0) return 0;
    const auto wanted = static_cast<uint64_t>(q * static_cast<double>(total_ - 1)) + 1;
    uint64_t seen = 0;
    size_t bucket = 0;
    while (bucket + 1 < counts_.size() && (seen += counts_[bucket]) < wanted) ++bucket;
    return top_of(bucket);
  }

 private:
  static constexpr uint32_t kForgetAt = 8192;
  static constexpr size_t kSteps = 4;  // buckets for each power of two
  static constexpr int kLowest = 8;    // everything below 256 ns is one bucket

  static size_t bucket_of(int64_t ns) {
    const auto value = static_cast<uint64_t>(ns < 0 ? 0 : ns);
    const int power = static_cast<int>(std::bit_width(value)) - 1;
    if (power < kLowest) return 0;
    const uint64_t step = (value >> (power - 2)) & (kSteps - 1);
    const size_t bucket = 1 + static_cast<size_t>(power - kLowest) * kSteps + step;
    return bucket < kBuckets ? bucket : kBuckets - 1;
  }
  static int64_t top_of(size_t bucket) {
    if (bucket == 0) return int64_t{1} << kLowest;
    const size_t power = kLowest + (bucket - 1) / kSteps;
    const size_t step = (bucket - 1) % kSteps + 1;
    return (int64_t{1} << power) + (static_cast<int64_t>(step) << (power - 2));
  }

  static constexpr size_t kBuckets = 1 + 28 * kSteps;  // up to a minute
  std::array<uint32_t, kBuckets> counts_{};
  uint32_t total_ = 0;
};

}  // namespace monitor::agent

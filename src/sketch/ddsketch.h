// DDSketch: quantiles of a stream of numbers, with a bounded relative error and exact merging.
//
// Masson, Rim, Lee: "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", PVLDB
// 12(12), 2019, with three choices of its variants:
//   - dense stores: one counter for each bucket between the lowest and the highest one in use;
//   - the cubic interpolation of the logarithm as in DataDog's sketches-java (CubicallyInterpolatedMapping), which
//     needs no call of log(): 1 % more buckets than the exact logarithm;
//   - uniform collapse (Epicoco et al.: "UDDSketch: Accurate Tracking of Quantiles in Data Streams", IEEE Access 8,
//     2020): beyond kMaxBuckets, each two neighbouring buckets become one. The error grows for all values alike,
//     instead of being lost for the lowest ones.
//
// A value is estimated with a relative error of at most relative_error(): 1 % until the values span more than
// kMaxBuckets buckets (8.8 decades of one sign, or as many of both signs together), then 2 %, 4 %, and so on. The
// result never depends on the order of insertions and merges: merging is exactly the insertion of all values.
//
// Values: negative ones have their own store; both zeros are one exact value; denormals are ordinary values;
// infinities are counted, and are the lowest or highest values. NaN is counted apart, and belongs to no quantile.
//
// Memory: a counter takes 8 bits until a bucket holds more than 255 values, then 16, 32, 64 bits. So the counters of a
// sketch take at most 1 KiB for up to 255 values, and at most 2 KiB until one bucket holds more than 65,535.
//
// Thread-compatible; a value type.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::sketch {

// The counters of neighbouring buckets, as narrow as they can be. Internal to DDSketch.
class DenseStore {
 public:
  bool empty() const { return cells_.empty(); }
  // The lowest and the highest bucket in use; only if not empty.
  int32_t first() const { return first_; }
  int32_t last() const { return first_ + static_cast<int32_t>(size()) - 1; }
  size_t size() const { return cells_.size() >> std::countr_zero(width_); }
  uint64_t at(size_t index) const;
  // The first bucket at or after `index` that is not empty; size() if there is none.
  size_t next_used(size_t index) const;
  uint64_t count() const;

  // Adds one value to a bucket in [first(), last()] whose counter has room. Returns false without a change otherwise.
  bool increment(int32_t key) {
    const auto index = static_cast<uint32_t>(key - first_);
    if (width_ == 1) {
      if (index >= cells_.size() || cells_[index] == UINT8_MAX) return false;
      ++cells_[index];
      return true;
    }
    return increment_wide(index);
  }
  // Adds values to any bucket; extends and widens the store as needed. `count` > 0.
  void add(int32_t key, uint64_t count);
  // Merges each two neighbouring buckets, 2k and 2k + 1, into k.
  void collapse();
  size_t bytes() const { return cells_.capacity(); }
  void swap(DenseStore& other) noexcept;

 private:
  bool increment_wide(uint32_t index);
  void put(size_t index, uint64_t value);
  void extend(int32_t first, int32_t last);
  void widen(size_t width);

  int32_t first_ = 0;
  uint32_t width_ = 1;          // bytes of a counter: 1, 2, 4 or 8
  std::vector<uint8_t> cells_;  // counters in the machine's byte order
};

class DDSketch {
 public:
  static constexpr double kRelativeError = 0.01;
  static constexpr size_t kMaxBuckets = 1024;

  void add(double value);
  void merge(const DDSketch& other);

  // Number of values, without NaN.
  uint64_t count() const { return count_; }
  uint64_t nans() const { return nans_; }
  // The q-quantile, for q in [0, 1]: interpolates linearly between the two closest ranks, as PromQL and NumPy do by
  // default. Each of the two is estimated with relative_error(). NaN if the sketch is empty, or q is outside.
  double quantile(double q) const;
  // The bound on the relative error of each estimated value, with the buckets of today.
  double relative_error() const;
  // How often the buckets were collapsed.
  unsigned collapses() const { return collapses_; }
  size_t buckets() const { return positive_.size() + negative_.size(); }
  // Memory of the counters.
  size_t counter_bytes() const { return positive_.bytes() + negative_.bytes(); }

  // Appends the Protocol Buffers form: sint32 collapses = 1, zeros = 2, infinities = 3 and 4, nans = 5, and each store
  // as packed varints (first bucket, then runs of a gap and a count) = 6 and 7. Equal sketches have equal forms.
  void encode(std::string& out) const;
  // kDataLoss: malformed, or beyond the bounds of a sketch.
  static Result<DDSketch> decode(std::string_view bytes);

  friend bool operator==(const DDSketch& a, const DDSketch& b);

 private:
  void add_rare(double value);
  void insert(bool negative, int32_t key, uint64_t count);
  size_t span_with(bool negative, int32_t key) const;
  void collapse();
  // Also sets how many values after this one are in the same bucket.
  double value_at(uint64_t rank, uint64_t& more) const;
  double estimate(int32_t key) const;

  DenseStore positive_;
  DenseStore negative_;  // by the absolute value
  uint64_t count_ = 0;
  uint64_t zeros_ = 0;
  uint64_t infinities_ = 0;
  uint64_t negative_infinities_ = 0;
  uint64_t nans_ = 0;
  unsigned collapses_ = 0;
};

// The bucket of a positive, finite, normal value before any collapse; for tests.
int32_t bucket_of(double value);

}  // namespace monitor::sketch

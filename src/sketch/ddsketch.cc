#include "sketch/ddsketch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/protowire.h"
#include "base/saturating.h"
#include "sketch/mapping.h"

namespace monitor::sketch {

namespace {

// The lowest value is 2^kLowestExponent of the mapping, so that many collapses leave at most two buckets.
constexpr unsigned kMaxCollapses = 20;

enum : uint32_t {
  kCollapses = 1,
  kZeros = 2,
  kInfinities = 3,
  kNegativeInfinities = 4,
  kNans = 5,
  kPositive = 6,
  kNegative = 7,
};

Error malformed(const char* what) { return Error(Code::kDataLoss, std::string("sketch: ") + what); }

void put_store(std::string& out, uint32_t field, const DenseStore& store) {
  if (store.empty()) return;
  std::string packed;
  protowire::put_varint(packed, static_cast<uint64_t>(store.first()));
  uint64_t gap = 0;
  for (size_t i = 0; i < store.size(); ++i) {
    const uint64_t count = store.at(i);
    if (count == 0) {
      ++gap;
      continue;
    }
    protowire::put_varint(packed, gap);
    protowire::put_varint(packed, count);
    gap = 0;
  }
  protowire::put_bytes(out, field, packed);
}

Status read_store(std::string_view packed, unsigned collapses, DenseStore& store) {
  protowire::Reader reader(packed);
  const auto first = reader.varint();
  const auto highest = static_cast<uint64_t>(mapping::kHighestKey >> collapses);
  if (!first || *first > highest) return malformed("its first bucket is out of range");
  uint64_t key = *first;
  while (const auto gap = reader.varint()) {
    const auto count = reader.varint();
    if (!count || *count == 0) return malformed("a bucket without a count");
    if (*gap >= DDSketch::kMaxBuckets || key + *gap > highest) return malformed("a bucket is out of range");
    key += *gap;
    store.add(static_cast<int32_t>(key), *count);
    if (store.size() > DDSketch::kMaxBuckets) return malformed("it has too many buckets");
    ++key;
  }
  if (reader.failed()) return malformed("a store is malformed");
  if (store.empty() || static_cast<uint64_t>(store.first()) != *first) return malformed("a store is empty");
  return {};
}

}  // namespace

int32_t bucket_of(double value) { return mapping::key_of(std::bit_cast<uint64_t>(value)); }

void DDSketch::add(double value) {
  const auto bits = std::bit_cast<uint64_t>(value);
  const uint64_t magnitude = bits & ~(uint64_t{1} << 63);
  // Normal numbers have an exponent of 1 to 2046.
  if (magnitude - (uint64_t{1} << mapping::kMantissaBits) >= (uint64_t{2046} << mapping::kMantissaBits)) {
    return add_rare(value);
  }
  const int32_t key = mapping::key_of(magnitude) >> collapses_;
  const bool negative = bits != magnitude;
  ++count_;
  if ((negative ? negative_ : positive_).increment(key)) return;
  insert(negative, mapping::key_of(magnitude) >> collapses_, 1);
}

void DDSketch::add_rare(double value) {
  if (std::isnan(value)) return add_saturating(nans_, 1);
  add_saturating(count_, 1);
  if (value == 0) return add_saturating(zeros_, 1);
  if (std::isinf(value)) return add_saturating(value > 0 ? infinities_ : negative_infinities_, 1);
  constexpr int kShift = 54;  // makes the smallest denormal normal
  const double scaled = std::ldexp(std::fabs(value), kShift);
  insert(value < 0, mapping::key_of(std::bit_cast<uint64_t>(scaled), -kShift) >> collapses_, 1);
}

// Number of buckets with this one in use, too.
size_t DDSketch::span_with(bool negative, int32_t key) const {
  const DenseStore& own = negative ? negative_ : positive_;
  const DenseStore& other = negative ? positive_ : negative_;
  const int32_t low = own.empty() ? key : std::min(key, own.first());
  const int32_t high = own.empty() ? key : std::max(key, own.last());
  return other.size() + static_cast<size_t>(high - low) + 1;
}

// Collapses as often as needed and not more. Whether buckets fit depends only on the values in the sketch, and values
// that do not fit still do not fit with more of them. So the order of insertions has no influence.
void DDSketch::insert(bool negative, int32_t key, uint64_t count) {
  while (span_with(negative, key) > kMaxBuckets) {
    collapse();
    key >>= 1;
  }
  (negative ? negative_ : positive_).add(key, count);
}

void DDSketch::collapse() {
  positive_.collapse();
  negative_.collapse();
  ++collapses_;
}

void DDSketch::merge(const DDSketch& other) {
  if (&other == this) {
    const DDSketch copy = other;
    return merge(copy);
  }
  while (collapses_ < other.collapses_) collapse();
  const auto take = [&](bool negative, const DenseStore& store) {
    for (size_t i = 0; i < store.size(); ++i) {
      const uint64_t n = store.at(i);
      // insert() may have collapsed this sketch further.
      const int32_t key = (store.first() + static_cast<int32_t>(i)) >> (collapses_ - other.collapses_);
      if (n > 0) insert(negative, key, n);
    }
  };
  take(false, other.positive_);
  take(true, other.negative_);
  add_saturating(count_, other.count_);
  add_saturating(zeros_, other.zeros_);
  add_saturating(infinities_, other.infinities_);
  add_saturating(negative_infinities_, other.negative_infinities_);
  add_saturating(nans_, other.nans_);
}

double DDSketch::relative_error() const {
  return std::tanh(mapping::kLogGamma / 2 * std::ldexp(1.0, static_cast<int>(collapses_)));
}

// The value between the bounds of the bucket whose relative distance to both is the same. Computed near 1, because the
// bounds of the highest buckets are beyond the largest double.
double DDSketch::estimate(int32_t key) const {
  const double width = std::ldexp(1.0, static_cast<int>(collapses_)) / mapping::kMultiplier;
  const double whole = std::floor(key * width);
  const double low = mapping::value_of(key * width - whole);
  const double high = mapping::value_of((key + 1) * width - whole);
  const double middle = std::ldexp(2 * low * high / (low + high), static_cast<int>(whole) + mapping::kLowestExponent);
  return std::min(middle, std::numeric_limits<double>::max());
}

double DDSketch::value_at(uint64_t rank, uint64_t& more) const {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto passes = [&rank, &more](uint64_t count) {
    if (rank < count) {
      more = count - 1 - rank;
      return false;
    }
    rank -= count;
    return true;
  };
  if (!passes(negative_infinities_)) return -kInfinity;
  for (size_t i = negative_.size(); i-- > 0;) {
    if (!passes(negative_.at(i))) return -estimate(negative_.first() + static_cast<int32_t>(i));
  }
  if (!passes(zeros_)) return 0;
  for (size_t i = positive_.next_used(0); i < positive_.size(); i = positive_.next_used(i + 1)) {
    if (!passes(positive_.at(i))) return estimate(positive_.first() + static_cast<int32_t>(i));
  }
  return kInfinity;
}

double DDSketch::quantile(double q) const {
  if (count_ == 0 || !(q >= 0 && q <= 1)) return std::nan("");
  const double rank = q * static_cast<double>(count_ - 1);
  constexpr double kTooLarge = 0x1p64;  // counts from outside are rounded up to it
  const uint64_t below = rank >= kTooLarge ? count_ - 1 : std::min(static_cast<uint64_t>(rank), count_ - 1);
  uint64_t more = 0;
  const double low = value_at(below, more);
  const double part = rank - static_cast<double>(below);
  if (part <= 0 || below + 1 >= count_ || more > 0) return low;
  const double high = value_at(below + 1, more);
  // Equal infinities have no difference.
  if (low == high) return low;
  return low * (1 - part) + high * part;
}

void DDSketch::encode(std::string& out) const {
  protowire::put_uint64(out, kCollapses, collapses_);
  protowire::put_uint64(out, kZeros, zeros_);
  protowire::put_uint64(out, kInfinities, infinities_);
  protowire::put_uint64(out, kNegativeInfinities, negative_infinities_);
  protowire::put_uint64(out, kNans, nans_);
  put_store(out, kPositive, positive_);
  put_store(out, kNegative, negative_);
}

Result<DDSketch> DDSketch::decode(std::string_view bytes) {
  DDSketch sketch;
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    const bool store = field->number == kPositive || field->number == kNegative;
    if (store != (field->type == protowire::WireType::kBytes) && field->number <= kNegative) {
      return malformed("a field has the wrong type");
    }
    if (field->number == kCollapses) {
      if (field->value > kMaxCollapses) return malformed("it was collapsed too often");
      if (sketch.buckets() > 0) return malformed("it says after its buckets how wide they are");
      sketch.collapses_ = static_cast<unsigned>(field->value);
    }
    if (field->number == kZeros) sketch.zeros_ = field->value;
    if (field->number == kInfinities) sketch.infinities_ = field->value;
    if (field->number == kNegativeInfinities) sketch.negative_infinities_ = field->value;
    if (field->number == kNans) sketch.nans_ = field->value;
    if (!store) continue;
    DenseStore& target = field->number == kPositive ? sketch.positive_ : sketch.negative_;
    if (!target.empty()) return malformed("it has a store twice");
    if (const Status read = read_store(field->bytes, sketch.collapses_, target); !read) return read.error();
  }
  if (reader.failed()) return malformed("it is cut off");
  if (sketch.buckets() > kMaxBuckets) return malformed("it has too many buckets");
  for (const uint64_t part : {sketch.zeros_, sketch.infinities_, sketch.negative_infinities_, sketch.positive_.count(),
                              sketch.negative_.count()}) {
    add_saturating(sketch.count_, part);
  }
  return sketch;
}

bool operator==(const DDSketch& a, const DDSketch& b) {
  std::string left;
  std::string right;
  a.encode(left);
  b.encode(right);
  return left == right;
}

}  // namespace monitor::sketch

#include "query/histogram.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

namespace monitor::query {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Counts that differ by less are equal: they are sums of rates.
constexpr double kSmallDifference = 1e-12;

bool almost_equal(double a, double b) {
  if (a == b) return true;
  const double sum = std::abs(a) + std::abs(b);
  const double difference = std::abs(a - b);
  constexpr double kLeast = std::numeric_limits<double>::min();
  if (a == 0 || b == 0 || sum < kLeast) return difference < kSmallDifference * kLeast;
  return difference / std::min(sum, std::numeric_limits<double>::max()) < kSmallDifference;
}

// Sorted, one for each bound. Empty if there is no bucket up to +Inf.
std::vector<Bucket> ordered(std::vector<Bucket> buckets) {
  std::ranges::sort(buckets, {}, &Bucket::upper);
  if (buckets.empty() || buckets.back().upper != kInfinity) return {};
  std::vector<Bucket> merged;
  for (const Bucket& bucket : buckets) {
    if (!merged.empty() && merged.back().upper == bucket.upper) {
      merged.back().count += bucket.count;
    } else {
      merged.push_back(bucket);
    }
  }
  return merged;
}

// Scrapes and rates are not atomic, so that counts may fall from one bound to the next.
std::optional<MonotonicityFix> make_monotonic(std::vector<Bucket>& buckets) {
  std::optional<MonotonicityFix> fix;
  double before = buckets[0].count;
  for (Bucket& bucket : buckets) {
    if (almost_equal(before, bucket.count)) {
      bucket.count = before;
    } else if (bucket.count < before) {
      if (!fix) fix = {.least_bound = bucket.upper, .greatest_bound = bucket.upper, .greatest_difference = 0};
      fix->greatest_bound = bucket.upper;  // they ascend
      fix->greatest_difference = std::max(fix->greatest_difference, before - bucket.count);
      bucket.count = before;
    }
    before = bucket.count;
  }
  return fix;
}

}  // namespace

double bucket_quantile(double q, std::vector<Bucket> buckets, std::optional<MonotonicityFix>& fix) {
  fix.reset();
  if (std::isnan(q)) return kNaN;
  if (q < 0) return -kInfinity;
  if (q > 1) return kInfinity;
  buckets = ordered(std::move(buckets));
  if (buckets.empty()) return kNaN;
  fix = make_monotonic(buckets);
  if (buckets.size() < 2) return kNaN;
  const double observations = buckets.back().count;
  if (observations == 0 || std::isnan(observations)) return kNaN;
  double rank = q * observations;
  const auto found = std::find_if(buckets.begin(), buckets.end() - 1, [&](const Bucket& b) { return b.count >= rank; });
  const auto at = static_cast<size_t>(found - buckets.begin());
  if (at == buckets.size() - 1) return buckets[at - 1].upper;
  if (at == 0 && buckets[0].upper <= 0) return buckets[0].upper;
  double begin = 0;
  double count = buckets[at].count;
  if (at > 0) {
    begin = buckets[at - 1].upper;
    count -= buckets[at - 1].count;
    rank -= buckets[at - 1].count;
  }
  return begin + (buckets[at].upper - begin) * (rank / count);
}

double bucket_fraction(double lower, double upper, std::vector<Bucket> buckets) {
  buckets = ordered(std::move(buckets));
  if (buckets.empty()) return kNaN;
  const double count = buckets.back().count;
  if (count == 0 || std::isnan(count) || std::isnan(lower) || std::isnan(upper)) return kNaN;
  if (lower >= upper) return 0;
  // How many observations are below the value.
  const auto rank_of = [&](double value) {
    double rank = 0;
    for (size_t i = 0; i < buckets.size(); ++i) {
      const double begin = i > 0 ? buckets[i - 1].upper : buckets[0].upper > 0 ? 0 : -kInfinity;
      if (begin >= value) return rank;
      if (buckets[i].upper > value) {
        return rank + (buckets[i].count - rank) * (value - begin) / (buckets[i].upper - begin);
      }
      rank = buckets[i].count;
    }
    return count;
  };
  return (std::min(rank_of(upper), count) - std::min(rank_of(lower), count)) / count;
}

}  // namespace monitor::query

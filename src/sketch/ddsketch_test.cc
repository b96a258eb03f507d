#include "sketch/ddsketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"

namespace monitor::sketch {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kRounding = 1e-9;
const std::vector<double> kQuantiles = {0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1};

DDSketch sketch_of(const std::vector<double>& values) {
  DDSketch sketch;
  for (const double value : values) sketch.add(value);
  return sketch;
}

// Compares all quantiles with the exact ones. The error of an interpolated quantile is that of its two ranks.
void expect_accurate(std::vector<double> values, double most_error = DDSketch::kRelativeError) {
  const DDSketch sketch = sketch_of(values);
  ASSERT_EQ(sketch.count(), values.size());
  ASSERT_LE(sketch.buckets(), DDSketch::kMaxBuckets);
  ASSERT_LE(sketch.relative_error(), most_error + kRounding);
  std::ranges::sort(values);
  for (const double q : kQuantiles) {
    const double rank = q * static_cast<double>(values.size() - 1);
    const auto below = static_cast<size_t>(rank);
    const double part = rank - static_cast<double>(below);
    const double low = values[below];
    const double high = values[std::min(below + 1, values.size() - 1)];
    const double exact = part > 0 ? low * (1 - part) + high * part : low;
    const double weight = std::fabs(low) * (1 - part) + std::fabs(high) * part;
    // A denormal has fewer digits than the estimate.
    const double bound = weight * (sketch.relative_error() + kRounding) + std::numeric_limits<double>::denorm_min();
    EXPECT_LE(std::fabs(sketch.quantile(q) - exact), bound)
        << "q " << q << " got " << sketch.quantile(q) << " exact " << exact;
  }
}

std::vector<double> draw(size_t count, const std::function<double(Random&, size_t)>& make) {
  SeededRandom random(17);
  std::vector<double> values;
  for (size_t i = 0; i < count; ++i) values.push_back(make(random, i));
  return values;
}

double pareto(Random& random, double shape) { return std::pow(1 - random.unit(), -1 / shape); }

TEST(DDSketch, MeetsItsErrorOnOrdinaryDistributions) {
  expect_accurate(draw(10'000, [](Random& r, size_t) { return r.unit(); }));
  expect_accurate(draw(10'000, [](Random& r, size_t) { return std::exp(6 * r.unit()); }));
  expect_accurate(draw(10'000, [](Random& r, size_t) { return static_cast<double>(r.below(100)); }));
}

TEST(DDSketch, MeetsItsErrorOnHeavyTails) {
  expect_accurate(draw(100'000, [](Random& r, size_t) { return pareto(r, 1.0); }));
  expect_accurate(draw(100'000, [](Random& r, size_t) { return pareto(r, 0.7); }));
}

TEST(DDSketch, MeetsItsErrorOnConstantsAndTwoPoints) {
  for (const double value : {1.0, 0.1, -7.3, 1e-300, 1e300, std::numeric_limits<double>::max(),
                             std::numeric_limits<double>::min(), std::numeric_limits<double>::denorm_min()}) {
    expect_accurate(std::vector<double>(1000, value));
  }
  expect_accurate(draw(1000, [](Random&, size_t i) { return i % 10 == 0 ? 1e6 : 1e-2; }));
  expect_accurate({1, 2});
  expect_accurate({-5});
}

TEST(DDSketch, MeetsItsErrorOnDenormals) {
  const double least = std::numeric_limits<double>::denorm_min();
  expect_accurate(draw(5000, [&](Random& r, size_t) { return least * static_cast<double>(1 + r.below(1'000'000)); }));
  expect_accurate(draw(500, [&](Random& r, size_t) { return -least * static_cast<double>(1 + r.below(50)); }));
}

TEST(DDSketch, MeetsItsErrorOnSortedAndAlternatingValues) {
  expect_accurate(draw(5000, [](Random&, size_t i) { return 1 + static_cast<double>(i); }));
  expect_accurate(draw(5000, [](Random&, size_t i) { return 5000 - static_cast<double>(i); }));
  expect_accurate(draw(5000, [](Random& r, size_t i) { return (i % 2 == 0 ? 1 : -1) * (0.5 + 100 * r.unit()); }));
  expect_accurate(draw(5001, [](Random& r, size_t i) { return (static_cast<double>(i % 3) - 1) * (1 + r.unit()); }));
}

// Each value on both sides of the bounds between buckets.
TEST(DDSketch, MeetsItsErrorBesideEveryBound) {
  double value = 1;
  int32_t key = bucket_of(value);
  for (; value < 4; value = std::nextafter(value * 1.0001, kInfinity)) {
    if (bucket_of(value) == key) continue;
    ASSERT_EQ(bucket_of(value), key + 1) << value;
    key = bucket_of(value);
    for (const double near : {std::nextafter(value, 0.0), value}) {
      EXPECT_NEAR(sketch_of({near}).quantile(0.5), near, near * (DDSketch::kRelativeError + kRounding));
    }
  }
}

TEST(DDSketch, CollapsesUniformlyOverHugeRanges) {
  const auto wide = [](Random& r, size_t) { return std::pow(10.0, 600 * r.unit() - 300); };
  const DDSketch sketch = sketch_of(draw(100'000, wide));
  EXPECT_EQ(sketch.collapses(), 7U) << "600 decades are 69,800 buckets";
  EXPECT_NEAR(sketch.relative_error(), std::tanh(0.01 * 128), 1e-3);
  expect_accurate(draw(100'000, wide), 0.86);
  // Eight decades still have the full precision.
  const auto eight = [](Random& r, size_t) { return std::pow(10.0, 8 * r.unit()); };
  EXPECT_EQ(sketch_of(draw(100'000, eight)).collapses(), 0U);
  const auto twelve = [](Random& r, size_t) { return std::pow(10.0, 12 * r.unit()); };
  expect_accurate(draw(100'000, twelve), 0.02);
}

TEST(DDSketch, CountsInfinitiesZerosAndNan) {
  DDSketch sketch = sketch_of({kInfinity, -kInfinity, 0.0, -0.0, std::nan(""), 3});
  EXPECT_EQ(sketch.count(), 5U);
  EXPECT_EQ(sketch.nans(), 1U);
  EXPECT_EQ(sketch.quantile(0), -kInfinity);
  EXPECT_EQ(sketch.quantile(0.25), 0);
  EXPECT_EQ(sketch.quantile(0.5), 0);
  EXPECT_NEAR(sketch.quantile(0.75), 3, 0.03);
  EXPECT_EQ(sketch.quantile(1), kInfinity);
  EXPECT_TRUE(std::isnan(sketch.quantile(-0.1)));
  EXPECT_TRUE(std::isnan(sketch.quantile(std::nan(""))));
  EXPECT_TRUE(std::isnan(DDSketch().quantile(0.5)));
  EXPECT_EQ(sketch_of({kInfinity, kInfinity}).quantile(0.5), kInfinity);
}

using Case = std::function<double(Random&, size_t)>;
const std::vector<Case> kCases = {
    [](Random& r, size_t) { return r.unit(); },
    [](Random& r, size_t) { return std::pow(10.0, 40 * r.unit() - 20); },
    [](Random& r, size_t i) { return (i % 2 == 0 ? 1 : -1) * std::pow(10.0, 12 * r.unit()); },
    [](Random& r, size_t i) {
      return i % 7 == 0 ? kInfinity : i % 5 == 0 ? std::nan("") : static_cast<double>(r.below(3));
    },
    [](Random& r, size_t i) { return i > 900 ? pareto(r, 0.05) : 1.0; },
};

TEST(DDSketch, MergingEqualsInsertingAll) {
  for (size_t which = 0; which < kCases.size(); ++which) {
    const std::vector<double> values = draw(1000, kCases[which]);
    const DDSketch all = sketch_of(values);
    std::vector<double> reversed(values.rbegin(), values.rend());
    EXPECT_EQ(sketch_of(reversed), all) << which;
    SeededRandom random(which);
    for (const size_t parts : {2U, 7U, 100U}) {
      std::vector<DDSketch> sketches(parts);
      for (const double value : values) sketches[random.below(parts)].add(value);
      while (sketches.size() > 1) {
        const size_t at = random.below(sketches.size() - 1);
        sketches[at].merge(sketches.back());
        sketches.pop_back();
      }
      EXPECT_EQ(sketches[0], all) << which << " in " << parts;
      EXPECT_EQ(sketches[0].count(), all.count());
      EXPECT_EQ(sketches[0].nans(), all.nans());
    }
  }
}

TEST(DDSketch, MergesWithItselfAndWithEmptySketches) {
  DDSketch sketch = sketch_of({1, 2, -3, 0});
  const DDSketch before = sketch;
  sketch.merge(DDSketch());
  EXPECT_EQ(sketch, before);
  DDSketch empty;
  empty.merge(before);
  EXPECT_EQ(empty, before);
  sketch.merge(sketch);
  EXPECT_EQ(sketch, sketch_of({1, 2, -3, 0, 1, 2, -3, 0}));
}

TEST(DDSketch, KeepsItsCountersWithinTwoKibibytes) {
  // A minute of ticks, spread as far as the buckets reach.
  const DDSketch minute = sketch_of(draw(255, [](Random& r, size_t) { return std::pow(10.0, 8.5 * r.unit()); }));
  EXPECT_LE(minute.counter_bytes(), 1024U);
  const DDSketch many = sketch_of(draw(1'000'000, [](Random& r, size_t) { return std::pow(10.0, 8.5 * r.unit()); }));
  EXPECT_LE(many.counter_bytes(), 2048U);
  EXPECT_EQ(many.collapses(), 0U);
  EXPECT_LE(sizeof(DDSketch), 136U);
}

TEST(DDSketch, WidensItsCounters) {
  DDSketch sketch;
  for (int i = 0; i < 70'000; ++i) sketch.add(1);
  sketch.add(5);
  for (int i = 0; i < 17; ++i) sketch.merge(sketch);
  EXPECT_EQ(sketch.count(), uint64_t{70'001} << 17);
  EXPECT_NEAR(sketch.quantile(0.5), 1, 0.01);
  EXPECT_NEAR(sketch.quantile(1), 5, 0.05);
}

TEST(DDSketch, RoundTrips) {
  for (const Case& one : kCases) {
    const DDSketch sketch = sketch_of(draw(1000, one));
    std::string bytes;
    sketch.encode(bytes);
    const auto back = DDSketch::decode(bytes);
    ASSERT_TRUE(back.ok()) << back.error().message();
    EXPECT_EQ(*back, sketch);
    EXPECT_EQ(back->count(), sketch.count());
    for (const double q : kQuantiles) {
      const double before = sketch.quantile(q);
      EXPECT_TRUE(back->quantile(q) == before || (std::isnan(before) && std::isnan(back->quantile(q))));
    }
  }
  std::string nothing;
  DDSketch().encode(nothing);
  EXPECT_TRUE(nothing.empty());
  EXPECT_TRUE(DDSketch::decode("").ok());
}

TEST(DDSketch, RefusesMalformedForms) {
  std::string bytes;
  sketch_of({1, 100, -4, 0}).encode(bytes);
  for (size_t size = 0; size < bytes.size(); ++size) (void)DDSketch::decode(bytes.substr(0, size));
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    for (const char c : {'\x00', '\x7f', '\xff'}) {
      changed[at] = c;
      const auto decoded = DDSketch::decode(changed);
      if (decoded) {
        EXPECT_LE(decoded->buckets(), DDSketch::kMaxBuckets);
      }
    }
  }
  const auto refused = [](std::string_view form) { return !DDSketch::decode(form).ok(); };
  EXPECT_TRUE(refused(std::string_view("\x08\x40", 2))) << "collapsed 64 times";
  EXPECT_TRUE(refused(std::string_view("\x32\x03\x05\x00\x00", 5))) << "a bucket without a count";
  EXPECT_TRUE(refused(std::string_view("\x32\x05\xff\xff\x7f\x00\x01", 7))) << "a bucket beyond the largest double";
  EXPECT_TRUE(refused(std::string_view("\x32\x01\x05", 3))) << "no bucket";
  EXPECT_TRUE(refused(std::string_view("\x32\x06\x05\x00\x01\xff\x7f\x01", 8))) << "a gap of 16,383 buckets";
  EXPECT_TRUE(refused(std::string_view("\x30\x01", 2))) << "a store that is a number";
}

}  // namespace
}  // namespace monitor::sketch

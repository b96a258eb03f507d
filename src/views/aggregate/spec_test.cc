#include "views/aggregate/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace monitor::analysis {
namespace {

using ::testing::HasSubstr;

TEST(AggregateSpec, ParsesStatistics) {
  const auto stats = parse_stats("avg,p50, p99.9,count");
  ASSERT_TRUE(stats.ok());
  ASSERT_EQ(stats->size(), 4U);
  EXPECT_EQ((*stats)[2].kind, Stat::Kind::kQuantile);
  EXPECT_DOUBLE_EQ((*stats)[2].quantile, 0.999);
  EXPECT_EQ((*stats)[2].name, "p99.9");
  for (const char* wrong : {"", "mean", "p101", "p-1", "pnan", "p", "avg,avg", "avg,,max"}) {
    EXPECT_FALSE(parse_stats(wrong).ok()) << wrong;
  }
  EXPECT_THAT(parse_stats("mean").error().message(), HasSubstr("\"mean\", known are avg"));
}

TEST(AggregateSpec, ParsesDimensions) {
  const auto by = parse_dimensions("agent,label,system.disk.device,label:host");
  ASSERT_TRUE(by.ok());
  ASSERT_EQ(by->size(), 4U);
  EXPECT_EQ((*by)[1].kind, Dimension::Kind::kLabels);
  EXPECT_EQ((*by)[2].kind, Dimension::Kind::kLabel);
  EXPECT_EQ((*by)[3].name, "host");
  EXPECT_EQ((*by)[3].kind, Dimension::Kind::kLabel);
  EXPECT_TRUE(parse_dimensions("none")->empty());
  EXPECT_TRUE(parse_dimensions("metric")->empty());
  EXPECT_FALSE(parse_dimensions("agent,agent").ok());
  EXPECT_FALSE(parse_dimensions("").ok());
}

TEST(AggregateSpec, ChecksWindows) {
  AggregateSpec spec;
  EXPECT_TRUE(check(spec).ok());
  spec.slide_ns = 2 * spec.width_ns;
  EXPECT_THAT(check(spec).error().message(), HasSubstr("--slide: got 2m, which is above --window 1m"));
  spec.slide_ns = 0;
  EXPECT_FALSE(check(spec).ok());
  spec.slide_ns = 25 * kNanosPerSecond;
  EXPECT_TRUE(check(spec).ok());
  EXPECT_EQ(spec.pane_ns(), 5 * kNanosPerSecond);
  spec.slide_ns = 7 * kNanosPerMilli;
  EXPECT_THAT(check(spec).error().message(), HasSubstr("the limit is 1440"));
  spec = {.width_ns = int64_t{40} * 86'400 * kNanosPerSecond};
  EXPECT_THAT(check(spec).error().message(), HasSubstr("the limit is 31d"));
}

TEST(AggregateSpec, FingerprintHasWhatDecidesTheState) {
  AggregateSpec one{.by = *parse_dimensions("agent"), .stats = *parse_stats("avg,p50")};
  AggregateSpec other = one;
  other.stats = *parse_stats("p99,max");
  other.lateness_ns = 1;
  EXPECT_EQ(one.fingerprint(), other.fingerprint());
  other.stats = *parse_stats("max");
  EXPECT_NE(one.fingerprint(), other.fingerprint()) << "there would be no sketches";
  other = one;
  other.by = *parse_dimensions("label:agent");
  EXPECT_NE(one.fingerprint(), other.fingerprint());
}

TEST(FloorTo, RoundsDownOnBothSidesOfZero) {
  EXPECT_EQ(floor_to(7, 5), 5);
  EXPECT_EQ(floor_to(10, 5), 10);
  EXPECT_EQ(floor_to(-1, 5), -5);
  EXPECT_EQ(floor_to(-5, 5), -5);
}

}  // namespace
}  // namespace monitor::analysis

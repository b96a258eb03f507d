#include "metriclog/start_at.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace monitor::metriclog {
namespace {

TEST(StartAt, ParsesFourForms) {
  constexpr int64_t kNow = 1'000'000 * kNanosPerSecond;
  EXPECT_EQ(parse_start("latest", kNow)->kind, StartAt::Kind::kLatest);
  EXPECT_EQ(parse_start("earliest", kNow)->kind, StartAt::Kind::kEarliest);
  EXPECT_EQ(parse_start("-10m", kNow)->time_ns, kNow - 600 * kNanosPerSecond);
  EXPECT_EQ(parse_start("1970-01-01T00:00:01Z", kNow)->time_ns, kNanosPerSecond);
  for (const char* bad : {"", "now", "10m", "-", "-x", "2026-13-01"}) EXPECT_FALSE(parse_start(bad, kNow).ok()) << bad;
}

}  // namespace
}  // namespace monitor::metriclog

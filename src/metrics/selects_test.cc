// Which series a pattern typed by a person selects.
#include <gtest/gtest.h>

#include "metrics/series.h"

namespace monitor::metrics {
namespace {

Series named(const std::string& name) { return {.name = name, .labels = {{"disk.io.direction", "read"}}}; }

TEST(SelectsTest, TakesAPlainNameForAFamily) {
  for (const char* pattern : {"system.cpu.utilization", "system.cpu", "system", "cpu", "cpu.utilization"}) {
    EXPECT_TRUE(selects(pattern, named("system.cpu.utilization"))) << pattern;
  }
  for (const char* pattern : {"system.cp", "cp", "utilization", "system.cpu.utilization.x", "cpu.", "CPU"}) {
    EXPECT_FALSE(selects(pattern, named("system.cpu.utilization"))) << pattern;
  }
  EXPECT_TRUE(selects("my.queue", named("my.queue.length")));
  EXPECT_FALSE(selects("queue", named("my.queue.length")));
}

TEST(SelectsTest, MatchesPatternsAgainstTheWholeNameOrSeries) {
  EXPECT_TRUE(selects("", named("system.disk.io.rate")));
  EXPECT_TRUE(selects("system.disk.*", named("system.disk.io.rate")));
  EXPECT_TRUE(selects("*{*=read}", named("system.disk.io.rate")));
  EXPECT_TRUE(selects("system.disk.io.rate{disk.io.direction=read}", named("system.disk.io.rate")));
  EXPECT_FALSE(selects("disk.*", named("system.disk.io.rate")));
  EXPECT_FALSE(selects("system.disk.?", named("system.disk.io.rate")));
}

}  // namespace
}  // namespace monitor::metrics

#include "metrics/human.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "base/text.h"

namespace monitor::metrics {
namespace {

TEST(Human, FormatsValuesAsThePageDoes) {
  std::ifstream file(std::string(MONITOR_SOURCE_DIR) + "/src/metrics/human_vectors.tsv");
  ASSERT_TRUE(file);
  size_t count = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    const auto parts = split(line, '\t');
    ASSERT_EQ(parts.size(), 4U) << line;
    const Series series{.name = std::string(parts[1]), .labels = {}, .unit = std::string(parts[0])};
    EXPECT_EQ(human_value(series, std::stod(std::string(parts[2]))), parts[3]) << line;
    ++count;
  }
  EXPECT_GT(count, 50U);
}

TEST(Human, PrintsADashForNanAndInfinity) {
  for (const double none : {NAN, INFINITY})
    EXPECT_EQ(human_value({.name = "memory", .labels = {}, .unit = "By"}, none), "-");
}

TEST(Human, GroupsDigits) {
  EXPECT_EQ(grouped(9829.6), "9,830");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
  EXPECT_EQ(grouped(-0.4), "0");
}

}  // namespace
}  // namespace monitor::metrics

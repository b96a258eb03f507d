#include "ui/query/format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "ui/query/plot.h"

namespace monitor::analysis {
namespace {

query::QueryResult two_points() {
  query::QueryResult result{.type = query::ValueType::kVector};
  result.series.push_back({query::Labels({{"__name__", "up"}, {"a", "x,\"\x1b"}}), {{0, 1}, {1000, 3}}});
  return result;
}

constexpr query::QueryTimes kTimes{.start_ms = 0, .end_ms = 1000, .step_ms = 1000};

TEST(QueryFormat, SummarizesARange) {
  EXPECT_EQ(to_text(two_points(), {.format = QueryFormat::kTable, .times = kTimes, .range = true}),
            "points  min  mean  max  last  series\n"
            "     2    1     2    3     3  up{a=\"x,\\\"\\u001b\"}\n");
}

TEST(QueryFormat, WritesAValidCsv) {
  EXPECT_EQ(to_text(two_points(), {.format = QueryFormat::kCsv, .times = kTimes, .range = true}),
            "time,series,value\n"
            "1970-01-01T00:00:00.000Z,\"up{a=\"\"x,\\\"\"\\u001b\"\"}\",1\n"
            "1970-01-01T00:00:01.000Z,\"up{a=\"\"x,\\\"\"\\u001b\"\"}\",3\n");
}

TEST(Plot, DrawsTheHighestValueOnTop) {
  const auto lines = plot({{0, 0}, {1000, 10}}, 0, 1000, kPlotMargin + 10);
  ASSERT_EQ(lines.size(), kPlotLines);
  EXPECT_EQ(lines.back().substr(0, 3), "⡀");
  EXPECT_EQ(lines.front().substr(27), "⠈");
}

TEST(Plot, LeavesAGapForWhatIsNoNumber) {
  const auto empty = plot({{0, std::nan("")}, {1, INFINITY}}, 0, 1000, 30);
  for (const std::string& line : empty) EXPECT_EQ(line.find_first_not_of("\xe2\xa0\x80"), std::string::npos);
  EXPECT_EQ(plot({{0, 1e308}, {1000, -1e308}}, 0, 1000, 30).size(), kPlotLines);
}

}  // namespace
}  // namespace monitor::analysis

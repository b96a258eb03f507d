#include "ui/query/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "ui/query/plot.h"

namespace monitor::analysis {
namespace {

using testing::HasSubstr;

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

TEST(QueryFormat, ShowsAllDigits) {
  query::QueryResult result{.type = query::ValueType::kVector};
  result.series.push_back({query::Labels({{"__name__", "a"}, {"b", "c"}}), {{0, 12345678}, {1000, 12345679.5}}});
  const std::string table = to_text(result, {.format = QueryFormat::kTable, .times = kTimes, .range = true});
  EXPECT_THAT(table, HasSubstr("12345678  12345678.75  12345679.5  12345679.5"));
  const std::string plot = to_text(result, {.format = QueryFormat::kPlot, .times = kTimes, .range = true});
  EXPECT_THAT(plot, HasSubstr("12345679.5 "));
  EXPECT_THAT(plot, HasSubstr("\n  12345678 "));
}

// The number of characters that are not blank.
size_t drawn(const std::vector<std::string>& lines) {
  size_t count = 0;
  for (const std::string& line : lines) {
    for (size_t i = 0; i + 3 <= line.size(); i += 3) count += line.substr(i, 3) != "\xe2\xa0\x80" ? 1 : 0;
  }
  return count;
}

TEST(Plot, ConnectsThePoints) {
  const auto lines = plot({{0, 0}, {1000, 10}}, {0, 1000, 1000}, 10);
  ASSERT_EQ(lines.size(), kPlotLines);
  EXPECT_EQ(lines.back().substr(0, 3), "⡜");
  EXPECT_EQ(lines.front().size(), 30U);
  EXPECT_GE(drawn(lines), 10U) << "each column of a line from corner to corner";
  for (const std::string& line : lines) EXPECT_GT(drawn({line}), 0U) << line;
}

TEST(Plot, LeavesAGapForAMissingPoint) {
  const auto gap = plot({{0, 1}, {1000, 1}, {9000, 1}, {10000, 1}}, {0, 10000, 1000}, 10);
  EXPECT_EQ(drawn(gap), 3U);
  EXPECT_EQ(drawn(plot({{0, 1}, {1000, 1}, {9000, 1}, {10000, 1}}, {0, 10000, 0}, 10)), 10U);
}

TEST(Plot, LeavesAGapForWhatIsNoNumber) {
  const auto empty = plot({{0, std::nan("")}, {1, INFINITY}}, {0, 1000, 0}, 20);
  EXPECT_EQ(drawn(empty), 0U);
  const auto gap = plot({{0, 1}, {5000, std::nan("")}, {10000, 1}}, {0, 10000, 0}, 10);
  EXPECT_EQ(drawn(gap), 2U);
  EXPECT_EQ(plot({{0, 1e308}, {1000, -1e308}}, {0, 1000, 0}, 20).size(), kPlotLines);
}

}  // namespace
}  // namespace monitor::analysis

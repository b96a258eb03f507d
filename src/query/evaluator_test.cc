#include "query/evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "query/json.h"
#include "query/parser.h"
#include "query/testing/memory_source.h"

namespace monitor::query {
namespace {

using ::testing::HasSubstr;

class EvaluatorTest : public ::testing::Test {
 protected:
  Result<QueryResult> run(const std::string& query, const QueryTimes& times) {
    const auto expression = parse(query);
    if (!expression) return expression.error();
    return evaluate(**expression, source_, times, options_);
  }
  Result<QueryResult> at(const std::string& query, int64_t ms) { return run(query, {.start_ms = ms, .end_ms = ms}); }

  MemorySource source_;
  QueryOptions options_;
};

Labels series(const std::string& name, const std::string& agent = "") {
  return Labels({{"__name__", name}, {"agent", agent}});
}

TEST_F(EvaluatorTest, ASampleCountsForTheLookBackAndNoLonger) {
  source_.add(series("up"), {1000, 7});
  EXPECT_EQ(at("up", 999)->series.size(), 0U);
  EXPECT_EQ(at("up", 1000)->series.size(), 1U);
  EXPECT_EQ(at("up", 300'999)->series.size(), 1U);
  EXPECT_EQ(at("up", 301'000)->series.size(), 0U);
}

TEST_F(EvaluatorTest, AStalenessMarkerEndsASeries) {
  source_.add(series("up"), {1000, 7});
  source_.add(series("up"), {2000, stale_marker()});
  EXPECT_EQ(at("up", 1999)->series.size(), 1U);
  EXPECT_EQ(at("up", 2000)->series.size(), 0U);
  EXPECT_EQ(at("count_over_time(up[5m])", 2000)->series[0].points[0].value, 1);
}

TEST_F(EvaluatorTest, ARateSurvivesAReset) {
  for (int i = 0; i < 10; ++i) source_.add(series("requests"), {i * 1000, i < 5 ? i * 10.0 : (i - 5) * 10.0});
  const auto increase = at("increase(requests[9s])", 9000);
  ASSERT_EQ(increase->series.size(), 1U);
  // From 10 to 40, and from 0 to 40: 30 + 40 within 8 of 9 s.
  EXPECT_NEAR(increase->series[0].points[0].value, 70.0 * 9 / 8, 1e-9);
  EXPECT_TRUE(increase->series[0].labels.empty());
}

TEST_F(EvaluatorTest, ARangeQueryHasAValueForEachStepThatHasOne) {
  source_.add(series("up"), {1000, 1});
  source_.add(series("up"), {3000, 3});
  options_.lookback_ms = 1000;
  const auto result = run("up", {.start_ms = 0, .end_ms = 4000, .step_ms = 1000});
  ASSERT_EQ(result->series.size(), 1U);
  EXPECT_EQ(result->series[0].points, (std::vector<Point>{{1000, 1}, {3000, 3}}));
}

TEST_F(EvaluatorTest, NamesTheSeriesThatMatchTwice) {
  source_.add(series("a", "one"), {0, 1});
  source_.add(series("a", "two"), {0, 1});
  source_.add(series("b"), {0, 1});
  const auto result = at("a + on() b", 0);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::kInvalidArgument);
  EXPECT_THAT(result.error().message(), HasSubstr("a{agent=\"one\"} and a{agent=\"two\"}"));
}

TEST_F(EvaluatorTest, SeriesThatMatchTwiceAreAFaultAlsoWhereNothingMatchesThem) {
  source_.add(series("a", "one"), {0, 1});
  source_.add(series("a", "two"), {0, 1});
  source_.add(Labels({{"__name__", "b"}, {"x", "y"}}), {0, 1});
  EXPECT_THAT(at("b + on(x) a", 0).error().message(), HasSubstr("several series on the right side"));
  EXPECT_TRUE(at("nothing + on(x) a", 0)->series.empty());
  EXPECT_TRUE(at("b + on(x) nothing", 0)->series.empty());
}

TEST_F(EvaluatorTest, ComputedSeriesThatDifferedInTheirNamesAreNoLongerApart) {
  source_.add(series("a", "x"), {0, 3});
  source_.add(series("b", "x"), {0, 4});
  source_.add(series("one", "x"), {0, 1});
  const std::string both = "{__name__=~\"a|b\"}";
  EXPECT_THAT(at("sum(" + both + " + on(agent) group_left() one)", 0).error().message(),
              HasSubstr("the grouping labels must tell them apart"));
  EXPECT_EQ(at(both + " > on(agent) group_left() one", 0)->series.size(), 2U);
  EXPECT_EQ(at("a + on(agent) group_left(__name__) one", 0)->series[0].labels.name(), "one");
}

TEST_F(EvaluatorTest, WarnsOfAQuantileOnlyWhereItWasUsed) {
  source_.add(series("a"), {0, 1});
  EXPECT_EQ(at("quantile_over_time(2, a[5m])", 0)->warnings.size(), 1U);
  EXPECT_TRUE(at("quantile_over_time(2, b[5m])", 0)->warnings.empty());
}

TEST_F(EvaluatorTest, LimitsWhatAQueryCosts) {
  for (int i = 0; i < 100; ++i) source_.add(series("up", std::to_string(i)), {0, 1});
  options_.limits.max_series = 50;
  EXPECT_THAT(at("up", 0).error().message(), HasSubstr("100 series; at most 50"));
  options_.limits.max_series = 1000;
  options_.limits.max_samples = 99;
  EXPECT_THAT(at("up", 0).error().message(), HasSubstr("more than 99 samples"));
  EXPECT_THAT(run("up", {.start_ms = 0, .end_ms = 11'000'000, .step_ms = 1}).error().message(),
              HasSubstr("11000001 steps"));
  options_.limits = {};
  EXPECT_EQ(at("sum_over_time(vector(1)[100y:1ms])", 0).error().code(), Code::kResourceExhausted);
  options_.limits.check = [] { return Status(Error(Code::kDeadlineExceeded, "too late")); };
  EXPECT_EQ(at("up", 0).error().message(), "too late");
}

TEST_F(EvaluatorTest, LimitsTheMemoryOfAQuery) {
  for (int i = 0; i < 100; ++i) source_.add(series("up", std::to_string(i)), {0, i * 1.0});
  const QueryTimes times{.start_ms = 0, .end_ms = 1'000'000, .step_ms = 1000};
  constexpr size_t kColumns = 100 * 1001 * sizeof(double);
  EXPECT_GT(run("up", times)->peak_bytes, kColumns);
  EXPECT_LT(run("up", times)->peak_bytes, 4 * kColumns);
  // What a part of the query needed is free again when it has its value.
  EXPECT_LT(run("sum(up) + sum(up) + sum(up) + sum(up) + sum(up)", times)->peak_bytes, 4 * kColumns);
  options_.limits.max_bytes = kColumns;
  for (const char* const query :
       {"up", "sum(up)", "count_values(\"v\", sum(up) + time())", "up * on (agent) up", "up or up offset 1s",
        "max_over_time(up[5m])", "topk(99, up)", "sum_over_time(vector(1)[100h:1s])", "up[10m]", "1 + scalar(up)"}) {
    const auto result = run(query, times);
    if (result) continue;
    EXPECT_TRUE(result.error().code() == Code::kResourceExhausted || std::string(query) == "up[10m]") << query;
    if (result.error().code() == Code::kResourceExhausted) {
      EXPECT_THAT(result.error().message(), HasSubstr("bytes of memory or more; at most 800800 are possible")) << query;
    }
  }
  EXPECT_FALSE(run("up", times));
  EXPECT_FALSE(run("sum_over_time(vector(1)[100h:1s])", times));
  EXPECT_TRUE(run("1 + 1", times));
}

TEST_F(EvaluatorTest, NestedFunctionsDoNotGrowALabelBeyondItsLimit) {
  source_.add(series("up", "0123456789"), {0, 1});
  std::string query = "up";
  std::string replacement;
  for (int i = 0; i < 100; ++i) replacement += "$1";
  for (int i = 0; i < 4; ++i)
    query = "label_replace(" + query + ",\"agent\",\"" + replacement + "\",\"agent\",\"(.*)\")";
  EXPECT_THAT(at(query, 0).error().message(), HasSubstr("label \"agent\" would have more than 65536 bytes"));
  query = "up";
  for (int i = 0; i < 30; ++i) query = "label_join(" + query + ",\"agent\",\"\",\"agent\",\"agent\")";
  EXPECT_THAT(at(query, 0).error().message(), HasSubstr("label_join(): the label"));
}

TEST_F(EvaluatorTest, NoErrorRepeatsALongText) {
  const std::string long_text(3000, 'x');
  const std::string brackets(3000, '(');
  source_.add(series("up", long_text), {0, 1});
  source_.add(series("up", long_text + "y"), {0, 1});
  source_.add(series("one"), {0, 1});
  for (const std::string& query :
       {"{a=~\"" + brackets + "\"}", "{a=~\"" + std::string(3000, '*') + "\"}", long_text + "(1)", "1 " + long_text,
        "{" + long_text + "}", "5" + long_text, "sum by (\"a\", 1" + long_text + ") (up)",
        std::string("up + on () one"), "label_replace(up,\"b\",\"\",\"b\",\"" + brackets + "\")",
        "topk(1, up, \"" + long_text + "\")", std::string("label_replace(up,\"agent\",\"\",\"b\",\"\")"),
        "{\"" + long_text + "\",\"" + long_text + "\"}", "up @ " + long_text, "up[" + long_text + "]",
        "a + on (" + long_text + ") group_left (" + long_text + ") b"}) {
    const auto result = at(query, 0);
    ASSERT_FALSE(result) << query.substr(0, 60);
    EXPECT_LT(result.error().message().size(), 1500U) << query.substr(0, 60);
    EXPECT_GT(result.error().message().size(), 10U) << query.substr(0, 60);
  }
  EXPECT_THAT(at("{a=~\"" + brackets + "\"}", 0).error().message(), HasSubstr("((\"... (3000 bytes)"));
}

TEST_F(EvaluatorTest, ExtremeTimesDoNotOverflow) {
  for (const char* const query : {"up offset 290000000y", "up @ -9e15", "up @ 9e15", "rate(up[290000000y])",
                                  "rate(up[1h:1m] offset -200000000y)"}) {
    const auto result = at(query, 1'800'000'000'000);
    EXPECT_TRUE(result || result.error().code() == Code::kResourceExhausted) << query;
  }
}

TEST_F(EvaluatorTest, TheSecondAround1970BelongsToIt) {
  EXPECT_EQ(at("minute(vector(-0.5))", 0)->series[0].points[0].value, 0);
  EXPECT_EQ(at("day_of_week(vector(-1e-300))", 0)->series[0].points[0].value, 4);
  EXPECT_EQ(at("minute(vector(-1))", 0)->series[0].points[0].value, 59);
}

TEST_F(EvaluatorTest, WritesValuesAsPrometheusDoes) {
  EXPECT_EQ(value_text(0.1), "0.1");
  EXPECT_EQ(value_text(1e21), "1e+21");
  EXPECT_EQ(value_text(123456789012), "123456789012");
  EXPECT_EQ(value_text(std::nan("")), "NaN");
  EXPECT_EQ(value_text(-INFINITY), "-Inf");
  source_.add(series("up", "a\"b"), {1500, 0.5});
  const QueryTimes times{.start_ms = 2000, .end_ms = 2000};
  EXPECT_EQ(to_json(*run("up", times), times, false),
            R"({"resultType":"vector","result":[{"metric":{"__name__":"up","agent":"a\"b"},"value":[2,"0.5"]}]})");
  EXPECT_EQ(to_json(*run("1", times), times, false), R"({"resultType":"scalar","result":[2,"1"]})");
}

}  // namespace
}  // namespace monitor::query

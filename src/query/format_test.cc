#include "query/format.h"

#include <gtest/gtest.h>

#include "query/parser.h"

namespace monitor::query {
namespace {

std::string formatted(std::string_view text) {
  const auto expression = parse(text);
  EXPECT_TRUE(expression) << text << ": " << expression.error().message();
  return expression ? format_expression(**expression) : "";
}

TEST(FormatExpression, PrintsAsPrometheusDoes) {
  EXPECT_EQ(formatted("sum(rate(up{b='x',a=~\"y\"} [ 5m ] offset 1h))by(agent)"),
            R"(sum by (agent) (rate(up{a=~"y",b="x"}[5m] offset 1h)))");
  EXPECT_EQ(formatted("a/on(x,y)group_left b"), "a / on (x, y) group_left () b");
  EXPECT_EQ(formatted("a>bool ignoring(z)b"), "a > bool ignoring (z) b");
  EXPECT_EQ(formatted("topk without(\"c.d\")(5,{\"e.f\"}@1.5)"), R"(topk without ("c.d") (5, {"e.f"} @ 1.500))");
  EXPECT_EQ(formatted("-(1+2e-3)^+Inf"), "-(1 + 0.002) ^ +Inf");
  EXPECT_EQ(formatted("max_over_time(a[1d:] @ end() offset -90s)"), "max_over_time(a[1d:] @ end() offset -1m30s)");
  EXPECT_EQ(formatted(R"({__name__=~"a.*",b!=""})"), R"({__name__=~"a.*",b!=""})");
}

TEST(FormatExpression, ItsTextIsAFixedPoint) {
  for (const char* const text :
       {"sum by () (a)", "a unless on () b", "time() % 3", "\"x\\ny\"", "label_join(a, \"b\", \"-\")",
        "quantile(0.5, a @ start())", "a[5m:30s]", "(a)[5m:]", "count_values(\"v\", a) or vector(1)", "a @ -0.5"}) {
    const std::string once = formatted(text);
    EXPECT_EQ(formatted(once), once) << text;
  }
}

}  // namespace
}  // namespace monitor::query

#include "query/parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "query/ast.h"

namespace monitor::query {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string error_of(const std::string& query) {
  const auto parsed = parse(query);
  return parsed ? "no error" : parsed.error().message();
}

TEST(Parser, NamesTheColumnOfAnError) {
  EXPECT_THAT(error_of("sum(up"), StartsWith("1:7: unexpected end of the query"));
  EXPECT_THAT(error_of("up + "), StartsWith("1:6:"));
  EXPECT_THAT(error_of("up{job=}"), StartsWith("1:8: unexpected \"}\""));
  EXPECT_THAT(error_of("up\n  + )"), StartsWith("2:5: unexpected \")\""));
  EXPECT_THAT(error_of("{\"ü\"=\"ö\"} $"), StartsWith("1:11: unexpected character"));
  EXPECT_THAT(error_of("5mm"), StartsWith("1:1: \"5mm\" is neither"));
  EXPECT_THAT(error_of("up{a=\"x"), StartsWith("1:6: the string has no closing quote"));
  EXPECT_THAT(error_of("system.cpu.utilization"), HasSubstr("{\"system.cpu.utilization\"}"));
  EXPECT_EQ(error_of("foo(up)"), "1:1: unknown function \"foo\"");
  EXPECT_THAT(error_of(""), StartsWith("1:1: the query is empty"));
  EXPECT_THAT(error_of("# nothing"), HasSubstr("the query is empty"));
}

TEST(Parser, ExplainsTypesThatDoNotFit) {
  EXPECT_EQ(error_of("rate(up)"), "1:6: argument 1 of rate() must be a range vector, not an instant vector");
  EXPECT_THAT(error_of("up[5m] + 1"), HasSubstr("needs scalars or instant vectors, not a range vector"));
  EXPECT_THAT(error_of("1 and up"), HasSubstr("needs an instant vector on both sides"));
  EXPECT_THAT(error_of("1 > 2"), HasSubstr("need bool: 1 > bool 2"));
  EXPECT_THAT(error_of("sum(up)[5m]"), HasSubstr("write a subquery"));
  EXPECT_THAT(error_of("topk(up)"), HasSubstr("topk takes 2 arguments, not 1"));
  EXPECT_THAT(error_of("round(up, 1, 2)"), HasSubstr("round() takes 1 to 2 arguments, not 3"));
  EXPECT_EQ(error_of("sum(unusual(rate(up[5m])))"),
            "1:13: argument 1 of unusual() must be a selector of series, not an expression that computes values");
  EXPECT_THAT(error_of("unusual(up + 1)"), StartsWith("1:9: argument 1 of unusual() must be a selector"));
  EXPECT_EQ(error_of("unusual(up[5m])"), "1:9: argument 1 of unusual() must be an instant vector, not a range vector");
  EXPECT_EQ(error_of("unusual(\"web\")"), "1:9: argument 1 of unusual() must be an instant vector, not a string");
  EXPECT_EQ(error_of("1 + unusual(up, 0.5)"), "1:5: unusual() takes 0 to 1 arguments, not 2");
  EXPECT_THAT(error_of("unusul(up)"), HasSubstr("did you mean unusual()?"));
  EXPECT_TRUE(parse("unusual() > 0.5 and unusual(up{a=\"b\"} offset 1h) > 0.5"));
  EXPECT_THAT(error_of("rat(up[5m])"), HasSubstr("unknown function \"rat\"; did you mean rate()?"));
}

TEST(Parser, RefusesByNameWhatItDoesNotSupport) {
  for (const char* const query : {"histogram_quantiles(up, \"q\", 0.9)", "info(up)", "histogram_avg(up)", "up[5m*2]",
                                  "a + fill(0) b", "rate(up[5m] anchored)", "up </ 3"}) {
    const auto parsed = parse(query);
    ASSERT_FALSE(parsed) << query;
    EXPECT_EQ(parsed.error().code(), Code::kUnimplemented) << query;
    EXPECT_THAT(parsed.error().message(), HasSubstr("not supported")) << query;
  }
}

TEST(Parser, BindsOperatorsAsPrometheusDoes) {
  const auto power = parse("2 ^ 3 ^ 2");
  ASSERT_TRUE(power);
  EXPECT_TRUE(std::holds_alternative<Number>(std::get<Binary>((*power)->node).left->node));
  const auto minus = parse("-2 ^ 2");
  ASSERT_TRUE(minus);
  EXPECT_TRUE(std::holds_alternative<Negation>((*minus)->node));
  const auto either = parse("a or b and c");
  ASSERT_TRUE(either);
  EXPECT_EQ(std::get<Binary>((*either)->node).op, BinaryOp::kOr);
}

TEST(Parser, BoundsWhatAQueryCosts) {
  EXPECT_THAT(error_of(std::string(100'000, 'a')), HasSubstr("at most 65536 are accepted"));
  EXPECT_THAT(error_of(std::string(1000, '(') + "1"), HasSubstr("nests more than 200 deep"));
  EXPECT_THAT(error_of(std::string(1000, '-') + "1"), HasSubstr("nests more than 200 deep"));
  std::string chain = "1";
  for (int i = 0; i < 3000; ++i) chain += "+1";
  EXPECT_THAT(error_of(chain), HasSubstr("more than 2000 operators"));
  EXPECT_THAT(error_of("up{a=~\"" + std::string(5000, 'x') + "\"}"), HasSubstr("at most 4096"));
  EXPECT_THAT(error_of("up{a=~\"(x{1000}){1000}\"}"), HasSubstr("is not valid"));
  EXPECT_THAT(error_of("up{a=~\"(\"}"), StartsWith("1:7: the regular expression \"(\" is not valid"));
}

TEST(Parser, AcceptsQuotedNames) {
  const auto selector = parse_selector("{\"system.cpu.time\", \"cpu.mode\"=\"user\"}");
  ASSERT_TRUE(selector) << selector.error().message();
  EXPECT_EQ((*selector)[0].value(), "system.cpu.time");
  EXPECT_EQ((*selector)[1].label(), "cpu.mode");
  EXPECT_THAT(error_of("up{\"other\"}"), HasSubstr("given twice"));
  EXPECT_THAT(error_of("{a=\"\"}"), HasSubstr("would select every series"));
}

TEST(Parser, LimitsTheNumberOfRegularExpressions) {
  std::string query = "up";
  for (int i = 0; i < 100; ++i) query += " or a{b=~\"c" + std::to_string(i) + "\"}";
  EXPECT_TRUE(parse(query));
  const auto refused = parse(query + " or a{b!~\"d\"}");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("more than 100 regular expressions"));
}

}  // namespace
}  // namespace monitor::query

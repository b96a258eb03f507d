#include "ui/web/query.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace monitor::analysis::web {
namespace {

constexpr int64_t kNow = 1'700'000'000 * kNanosPerSecond;

const std::vector<Parameter>& declared() {
  static const std::vector<Parameter> all = {
      {.name = "agent", .required = true, .most = 3},
      {.name = "from", .type = Parameter::Type::kTime},
      {.name = "points", .type = Parameter::Type::kInteger, .min = 1, .max = 10, .otherwise = "7"},
      {.name = "after", .type = Parameter::Type::kDuration},
      {.name = "resolution", .type = Parameter::Type::kChoice, .choices = {"auto", "full", "1h"}},
  };
  return all;
}

Result<Query> parse(Parameters given) {
  given.emplace_back("agent", "a");
  return Query::parse(given, declared(), kNow);
}

std::string error(const Parameters& given) {
  const auto query = parse(given);
  return query ? "" : query.error().message();
}

TEST(Query, RejectsUndeclaredParameters) {
  EXPECT_EQ(error({{"agnet", "a"}}), "query: unknown parameter \"agnet\"; did you mean \"agent\"?");
  EXPECT_EQ(error({{"from", "1"}, {"from", "2"}}), "query: from: is given twice");
  EXPECT_EQ(error({{"agent", "b"}, {"agent", "c"}, {"agent", "d"}}), "query: agent: is given more than 3 times");
  EXPECT_EQ(error(Parameters(1000, {"agent", "a"})), "query: got 1001 parameters, expected at most 300");
  EXPECT_EQ(Query::parse({}, declared(), kNow).error().message(), "query: agent: is missing");
  EXPECT_EQ(Query::parse({{"agent", ""}}, declared(), kNow).error().message(), "query: agent: is missing");
}

TEST(Query, RejectsValuesOfAnotherType) {
  EXPECT_EQ(error({{"points", "11"}}), "query: points: got \"11\", expected an integer from 1 to 10");
  EXPECT_EQ(error({{"points", "x"}}), "query: points: got \"x\", expected an integer from 1 to 10");
  EXPECT_EQ(error({{"resolution", "2s"}}), "query: resolution: got \"2s\", expected auto, full or 1h");
  EXPECT_NE(error({{"from", "soon"}}).find("got \"soon\", expected Unix seconds"), std::string::npos);
  EXPECT_NE(error({{"from", "nan"}}), "");
  EXPECT_NE(error({{"after", "soon"}}).find("query: after: "), std::string::npos);
  EXPECT_NE(error({{"from", "\xff"}}), "");
  EXPECT_NE(error({{"agent", std::string(5000, 'a')}}), "");
}

TEST(Query, ReadsValuesAndDefaults) {
  const auto query = parse({{"agent", "b"}, {"points", "3"}, {"after", "2m"}, {"resolution", "1h"}});
  ASSERT_TRUE(query);
  EXPECT_EQ(query->all("agent"), (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(query->integer("points"), 3);
  EXPECT_EQ(query->duration("after"), 120 * kNanosPerSecond);
  EXPECT_EQ(query->text("resolution"), "1h");
  EXPECT_EQ(query->time("from"), std::nullopt);
  const auto defaults = parse({{"points", ""}});
  ASSERT_TRUE(defaults);
  EXPECT_EQ(defaults->integer("points"), 7);
  EXPECT_EQ(defaults->text("resolution"), "");
}

TEST(Query, ReadsTimesInEveryForm) {
  EXPECT_EQ(parse({{"from", "-10m"}})->time("from"), kNow - 600 * kNanosPerSecond);
  EXPECT_EQ(parse({{"from", "1699999999.5"}})->time("from"), kNow - kNanosPerSecond / 2);
  EXPECT_EQ(parse({{"from", "2023-11-14T22:13:20Z"}})->time("from"), kNow);
}

TEST(Parameter, DescribesItsTypeBoundsAndDefault) {
  const auto described = [](size_t index) { return nlohmann::json::parse(declared()[index].json()); };
  EXPECT_EQ(described(0)["required"], true);
  EXPECT_EQ(described(0)["schema"]["type"], "array");
  EXPECT_EQ(described(0)["schema"]["maxItems"], 3);
  EXPECT_EQ(described(2)["schema"],
            (nlohmann::json{{"type", "integer"}, {"minimum", 1}, {"maximum", 10}, {"default", 7}}));
  EXPECT_EQ(described(4)["schema"]["enum"], (nlohmann::json{"auto", "full", "1h"}));
}

}  // namespace
}  // namespace monitor::analysis::web

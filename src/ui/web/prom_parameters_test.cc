#include "ui/web/prom_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace monitor::analysis::web {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

PromParameters of(const Parameters& given) {
  const auto read = PromParameters::read({.method = "GET", .parameters = given});
  EXPECT_TRUE(read);
  return *read;
}

Request form(const std::string& body, const std::string& type = "application/x-www-form-urlencoded; charset=UTF-8") {
  return {.method = "POST", .parameters = {{"query", "url"}}, .body = body, .headers = {{"content-type", type}}};
}

TEST(PromParameters, ReadsAFormBeforeTheUrl) {
  const auto read = PromParameters::read(form("query=a%2Bb+%7B%7D&match%5B%5D=x&match[]=y&&empty="));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->first("query"), "a+b {}");
  EXPECT_THAT(read->all("match[]"), ElementsAre("x", "y"));
  EXPECT_FALSE(read->has("empty"));
  EXPECT_EQ(PromParameters::read(form("query=a", "application/json"))->first("query"), "url");
  for (const char* const body : {"query=%zz", "query=%", "query=%4", "a=%ff"}) {
    EXPECT_FALSE(PromParameters::read(form(body))) << body;
  }
}

TEST(PromParameters, ReadsTimesAsPrometheusDoes) {
  const auto time = [](const std::string& text) { return of({{"time", text}}).time_ms("time"); };
  EXPECT_EQ(**time("1700000000.781"), 1'700'000'000'781);
  EXPECT_EQ(**time("1.7e9"), 1'700'000'000'000);
  EXPECT_EQ(**time("-1.5"), -1500);
  EXPECT_EQ(**time("2026-11-22T12:00:00+01:00"), 1'795'345'200'000);
  EXPECT_EQ(**time("-292273086-05-16T16:47:06Z"), -(int64_t{1} << 60));
  EXPECT_FALSE(*time(""));
  for (const char* const text : {"x", "NaN", "Inf", "-inf", "1e300", "2026-11-22", "-10m"}) {
    EXPECT_THAT(time(text).error().message(), HasSubstr("invalid parameter \"time\": cannot parse")) << text;
  }
}

TEST(PromParameters, ReadsDurationsAsNumbersToo) {
  const auto step = [](const std::string& text) { return of({{"step", text}}).duration_ms("step"); };
  EXPECT_EQ(**step("15"), 15'000);
  EXPECT_EQ(**step("0.25"), 250);
  EXPECT_EQ(**step("0.0001"), 1);
  EXPECT_EQ(**step("1h30m"), 5'400'000);
  EXPECT_EQ(**step("-15"), -15'000);
  for (const char* const text : {"x", "NaN", "-1h", "1e300", "99999999999y"}) EXPECT_FALSE(step(text)) << text;
}

TEST(PromParameters, ChecksARange) {
  const auto range = [](const char* start, const char* end, const char* step) {
    return of({{"start", start}, {"end", end}, {"step", step}}).range();
  };
  EXPECT_EQ(range("100", "160.5", "15")->end_ms, 160'500);
  EXPECT_THAT(range("100", "99", "1").error().message(), HasSubstr("end timestamp must not be before start time"));
  EXPECT_THAT(range("100", "200", "0").error().message(), HasSubstr("zero or negative query resolution"));
  EXPECT_THAT(range("100", "200", "-1").error().message(), HasSubstr("zero or negative query resolution"));
  EXPECT_THAT(range("", "200", "1").error().message(), HasSubstr("\"start\""));
  EXPECT_THAT(range("1", "200", "").error().message(), HasSubstr("\"step\""));
  EXPECT_TRUE(range("0", "11000", "1"));
  EXPECT_THAT(range("0", "11001", "1").error().message(), HasSubstr("exceeded maximum resolution of 11,000 points"));
  EXPECT_FALSE(range("-292273086-05-16T16:47:06Z", "292277025-08-18T07:12:54.999999999Z", "0.001"));
}

TEST(PromParameters, ReadsSelectors) {
  EXPECT_EQ(of({{"match[]", "up{a=\"b\"}"}, {"match[]", "{\"x.y\"}"}}).selectors()->size(), 2U);
  for (const char* const text : {"{}", "{a=\"\"}", "{a=~\".*\"}", "up[5m]", "sum(up)", "{a=~\"(\"}", "1"}) {
    EXPECT_FALSE(of({{"match[]", text}}).selectors()) << text;
  }
}

TEST(PromParameters, ReadsCounts) {
  EXPECT_EQ(*of({{"limit", "7"}}).count("limit"), 7U);
  EXPECT_EQ(*of({}).count("limit"), 0U);
  for (const char* const text : {"-1", "x", "1.5", "99999999999999999999"}) {
    EXPECT_FALSE(of({{"limit", text}}).count("limit")) << text;
  }
}

TEST(PromParameters, UnescapesNamesOfLabels) {
  EXPECT_EQ(unescape_label_name("U__cpu_2e_mode"), "cpu.mode");
  EXPECT_EQ(unescape_label_name("U__a__b"), "a_b");
  EXPECT_EQ(unescape_label_name("cpu_mode"), "cpu_mode");
  for (const char* const bad : {"U__a_zz_", "U__a_2e", "U__a_", "U__a_fffffff_"}) {
    EXPECT_EQ(unescape_label_name(bad), bad);
  }
}

}  // namespace
}  // namespace monitor::analysis::web

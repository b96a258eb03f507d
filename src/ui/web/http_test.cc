#include "ui/web/http.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace monitor::analysis::web {
namespace {

std::string unescaped(std::string text) {
  text.resize(unescape(text.data()));
  return text;
}

TEST(Http, UnescapesOnceAndNoNul) {
  EXPECT_EQ(unescaped("/a%2Fb%2fc%20d"), "/a/b/c d");
  EXPECT_EQ(unescaped("%252e%2e"), "%2e.");
  EXPECT_EQ(unescaped("a%00b%0"), "a%00b%0");
  EXPECT_EQ(unescaped("%%41%zz%4"), "%A%zz%4");
  EXPECT_EQ(unescaped(""), "");
}

TEST(Query, NamesWhatIsWrong) {
  const std::vector<std::string> known = {"agent*", "from", "points"};
  EXPECT_TRUE(Query::parse({{"agent", "a"}, {"agent", "b"}, {"from", "5"}}, known));
  EXPECT_NE(Query::parse({{"agnet", "a"}}, known).error().message().find("did you mean \"agent\""), std::string::npos);
  EXPECT_FALSE(Query::parse({{"from", "1"}, {"from", "2"}}, known));
  EXPECT_FALSE(Query::parse({{"from", "\xff"}}, known));
  EXPECT_FALSE(Query::parse(Parameters(1000, {"agent", "a"}), known));
  EXPECT_FALSE(Query::parse({{"agent", std::string(5000, 'a')}}, known));
}

TEST(Query, ReadsNumbersAndTimes) {
  const int64_t now = 1'700'000'000 * kNanosPerSecond;
  const auto query = Query::parse({{"n", "7"},
                                   {"big", "99"},
                                   {"age", "-10m"},
                                   {"s", "1699999999.5"},
                                   {"r", "2023-11-14T22:13:20Z"},
                                   {"bad", "soon"},
                                   {"nan", "nan"}},
                                  {"n", "big", "age", "s", "r", "bad", "nan"});
  ASSERT_TRUE(query);
  EXPECT_EQ(*query->integer("n", 1, 0, 10), 7);
  EXPECT_EQ(*query->integer("absent", 1, 0, 10), 1);
  EXPECT_FALSE(query->integer("big", 1, 0, 10));
  EXPECT_EQ(*query->time("age", 0, now), now - 600 * kNanosPerSecond);
  EXPECT_EQ(*query->time("s", 0, now), now - kNanosPerSecond / 2);
  EXPECT_EQ(*query->time("r", 0, now), now);
  EXPECT_FALSE(query->time("bad", 0, now));
  EXPECT_FALSE(query->time("nan", 0, now));
}

TEST(Access, AHostThatIsNotOursIsRefused) {
  const Access access{{"monitor.example"}, "0123456789abcdef"};
  for (const char* const host :
       {"localhost:8080", "127.0.0.1:8080", "[::1]:8080", "10.0.0.7", "monitor.example:8080", "LOCALHOST",
        "LocalHost:80", "localhost.", "localhost.:8080", "MONITOR.Example.", "localhost:"}) {
    EXPECT_TRUE(check_host({.host = host}, access)) << host;
  }
  for (const char* const host : {"", "evil.example", "localhost.evil.example:8080", "127.0.0.1.evil.example", "[",
                                 "[::1]evil.example", "localhost..", "localhost:80:evil", "localhost:port",
                                 "user@localhost", "localhost/evil", "localhost,evil", "localhost:65536"}) {
    EXPECT_FALSE(check_host({.host = host}, access)) << host;
  }
}

TEST(Access, AChangeNeedsTheTokenAndOurOwnPage) {
  const Access access{{}, "0123456789abcdef"};
  Request request{.host = "localhost:8080", .authorization = "Bearer 0123456789abcdef"};
  EXPECT_TRUE(check_change(request, access));
  request.origin = "http://localhost:8080";
  EXPECT_TRUE(check_change(request, access));
  request.origin = "http://evil.example";
  EXPECT_EQ(check_change(request, access).error().code(), Code::kPermissionDenied);
  for (const char* const own : {"http://LOCALHOST:8080", "http://localhost.:8080", "https://localhost:8080"}) {
    request.origin = own;
    EXPECT_TRUE(check_change(request, access)) << own;
  }
  for (const char* const other :
       {"http://localhost", "http://localhost:8081", "localhost:8080", "ftp://localhost:8080"}) {
    request.origin = other;
    EXPECT_FALSE(check_change(request, access)) << other;
  }
  request.origin = "null";
  EXPECT_EQ(check_change(request, access).error().code(), Code::kPermissionDenied);
  request.origin = "";
  request.site = "cross-site";
  EXPECT_EQ(check_change(request, access).error().code(), Code::kPermissionDenied);
  request.site = "same-origin";
  for (const char* const wrong :
       {"", "Bearer ", "Bearer 0123456789abcdee", "Bearer 0123456789abcdef0", "0123456789abcdef"}) {
    request.authorization = wrong;
    EXPECT_EQ(check_change(request, access).error().code(), Code::kUnauthenticated) << wrong;
  }
  request.authorization = "Bearer ";
  EXPECT_FALSE(check_change(request, {})) << "no token: nobody may";
}

TEST(Reply, AnErrorIsJson) {
  const Reply reply = error_reply(Error(Code::kNotFound, "no \"<b>\""));
  EXPECT_EQ(reply.status, 404U);
  EXPECT_EQ(*reply.body, R"({"error":"no \"<b>\""})");
}

}  // namespace
}  // namespace monitor::analysis::web

#include "ui/web/http.h"

#include <gtest/gtest.h>

namespace monitor::analysis::web {
namespace {

std::string unescaped(std::string text) {
  text.resize(unescape(text.data()));
  return text;
}

TEST(Http, DecodesPercentOnceAndKeepsNul) {
  EXPECT_EQ(unescaped("/a%2Fb%2fc%20d"), "/a/b/c d");
  EXPECT_EQ(unescaped("%252e%2e"), "%2e.");
  EXPECT_EQ(unescaped("a%00b%0"), "a%00b%0");
  EXPECT_EQ(unescaped("%%41%zz%4"), "%A%zz%4");
  EXPECT_EQ(unescaped(""), "");
}

TEST(Access, RejectsForeignHosts) {
  const std::vector<std::string> names = {"monitor.example"};
  for (const char* const host :
       {"localhost:8080", "127.0.0.1:8080", "[::1]:8080", "10.0.0.7", "monitor.example:8080", "LOCALHOST",
        "LocalHost:80", "localhost.", "localhost.:8080", "MONITOR.Example.", "localhost:"}) {
    EXPECT_TRUE(check_host({.host = host}, names)) << host;
  }
  for (const char* const host : {"", "evil.example", "localhost.evil.example:8080", "127.0.0.1.evil.example", "[",
                                 "[::1]evil.example", "localhost..", "localhost:80:evil", "localhost:port",
                                 "user@localhost", "localhost/evil", "localhost,evil", "localhost:65536"}) {
    EXPECT_FALSE(check_host({.host = host}, names)) << host;
  }
}

TEST(Access, ChangesNeedOurOrigin) {
  Request request{.host = "localhost:8080"};
  EXPECT_TRUE(check_origin(request)) << "a program sends no origin";
  for (const char* const own :
       {"http://localhost:8080", "http://LOCALHOST:8080", "http://localhost.:8080", "https://localhost:8080"}) {
    request.origin = own;
    EXPECT_TRUE(check_origin(request)) << own;
  }
  for (const char* const other : {"http://evil.example", "http://localhost", "http://localhost:8081", "localhost:8080",
                                  "ftp://localhost:8080", "null"}) {
    request.origin = other;
    EXPECT_EQ(check_origin(request).error().code(), Code::kPermissionDenied) << other;
  }
  request.origin = "";
  for (const auto& [site, own] :
       {std::pair("cross-site", false), {"same-site", false}, {"same-origin", true}, {"none", true}}) {
    request.site = site;
    EXPECT_EQ(check_origin(request).ok(), own) << site;
  }
}

TEST(Access, HeadersThatDecideMustNotAppearTwice) {
  for (const char* const second : {"http://evil.example", "http://localhost:8080", ""}) {
    Request request{.host = "localhost:8080", .origin = "http://localhost:8080"};
    request.headers = {{"Origin", request.origin}};
    EXPECT_TRUE(check_origin(request));
    request.headers.emplace_back("origin", second);
    EXPECT_FALSE(check_origin(request)) << second;
  }
  for (const char* const second : {"cross-site", "same-origin", ""}) {
    Request request{.host = "localhost:8080", .site = "same-origin"};
    request.headers = {{"Sec-Fetch-Site", request.site}};
    EXPECT_TRUE(check_origin(request));
    request.headers.emplace_back("sec-fetch-site", second);
    EXPECT_FALSE(check_origin(request)) << second;
  }
  Request request{.authorization = "Bearer 0123", .headers = {{"Authorization", "Bearer 0123"}}};
  EXPECT_EQ(bearer_token(request), "0123");
  request.headers.emplace_back("authorization", "Basic 0123");
  EXPECT_EQ(bearer_token(request), "") << "it carries a token, and no right one";
}

TEST(Access, ReadsTokensAndHeaders) {
  Request request{.authorization = "Bearer 0123", .headers = {{"Cookie", "a"}, {"X-User", "ann"}, {"cOOkie", "b"}}};
  EXPECT_EQ(bearer_token(request), "0123");
  for (const char* const none : {"", "0123", "bearer 0123", "Basic 0123", "Bearer"}) {
    request.authorization = none;
    EXPECT_EQ(bearer_token(request), std::nullopt) << none;
  }
  EXPECT_EQ(header_values(request, "cookie"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(header_values(request, "cooki").empty());
}

TEST(Reply, ErrorsAreJson) {
  const Reply reply = error_reply(Error(Code::kNotFound, "no \"<b>\""));
  EXPECT_EQ(reply.status, 404U);
  EXPECT_EQ(*reply.body, R"({"error":"no \"<b>\""})");
}

}  // namespace
}  // namespace monitor::analysis::web

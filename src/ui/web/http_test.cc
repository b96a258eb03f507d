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

TEST(Access, ChangesNeedTheTokenAndOurOrigin) {
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
  EXPECT_FALSE(check_change(request, {})) << "without a token, changes are disabled";
}

TEST(Reply, ErrorsAreJson) {
  const Reply reply = error_reply(Error(Code::kNotFound, "no \"<b>\""));
  EXPECT_EQ(reply.status, 404U);
  EXPECT_EQ(*reply.body, R"({"error":"no \"<b>\""})");
}

}  // namespace
}  // namespace monitor::analysis::web

#include "telemetry/http/host_header.h"

#include <gtest/gtest.h>

namespace monitor::telemetry {
namespace {

TEST(Authority, IgnoresCaseTrailingDotAndBrackets) {
  EXPECT_EQ(parse_authority("LOCALHOST"), (Authority{"localhost", {}}));
  EXPECT_EQ(parse_authority("Web-1.Example.COM.:8080"), (Authority{"web-1.example.com", 8080}));
  EXPECT_EQ(parse_authority("[::1]:80"), (Authority{"::1", 80}));
  EXPECT_EQ(parse_authority("[FE80::A]"), (Authority{"fe80::a", {}}));
  EXPECT_EQ(parse_authority("localhost:"), (Authority{"localhost", {}}));
}

TEST(Authority, RejectsInvalidHosts) {
  for (const char* const bad : {"", ".", ":80", "a b", "a/b", "user@a", "a,b", "a:x", "a:-1", "a:65536", "a:80:90",
                                "[::1", "[::1]x", "[::1]80", "[]", "[a.example]", "a\x01", "a\xc3\xa4", "a%00"}) {
    EXPECT_FALSE(parse_authority(bad)) << bad;
  }
  EXPECT_FALSE(parse_authority(std::string(256, 'a')));
}

TEST(RequestTarget, RejectsSeveralMissingAndInvalidHosts) {
  EXPECT_TRUE(request_target({"a"}, "HTTP/1.1", "/"));
  EXPECT_FALSE(request_target({"a", "a"}, "HTTP/1.1", "/"));
  EXPECT_FALSE(request_target({"a", "b"}, "HTTP/1.0", "/"));
  EXPECT_FALSE(request_target({}, "HTTP/1.1", "/"));
  EXPECT_TRUE(request_target({}, "HTTP/1.0", "/"));
  EXPECT_FALSE(request_target({""}, "HTTP/1.1", "/"));
  EXPECT_FALSE(request_target({"a, b"}, "HTTP/1.1", "/"));
}

TEST(RequestTarget, RequiresAnAbsoluteTargetToNameTheSameHost) {
  EXPECT_EQ(request_target({"Localhost:8080"}, "HTTP/1.1", "HTTP://localhost.:8080/a/b")->path, "/a/b");
  EXPECT_EQ(request_target({"localhost"}, "HTTP/1.1", "http://localhost:80")->path, "/");
  EXPECT_FALSE(request_target({"localhost"}, "HTTP/1.1", "http://evil.example/"));
  EXPECT_FALSE(request_target({"localhost:8080"}, "HTTP/1.1", "http://localhost:9090/"));
  EXPECT_FALSE(request_target({"localhost"}, "HTTP/1.1", "http://localhost@evil.example/"));
  EXPECT_FALSE(request_target({"localhost"}, "HTTP/1.1", "http:///a"));
  EXPECT_EQ(request_target({}, "HTTP/1.0", "http://evil.example/")->host, "evil.example");
}

}  // namespace
}  // namespace monitor::telemetry

#include "base/net/loopback.h"

#include <gtest/gtest.h>

namespace monitor {
namespace {

TEST(LoopbackHost, OnlyLiteralLoopbackAndLocalhost) {
  for (const char* const host : {"localhost", "127.0.0.1", "127.255.0.3", "::1", "[::1]", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const char* const host :
       {"", "0.0.0.0", "::", "128.0.0.1", "10.127.0.1", "fe80::1", "::ffff:10.0.0.1", "localhost.example.org",
        "127.0.0.1.example.org", "127.1", "LOCALHOST.", "example.org"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

}  // namespace
}  // namespace monitor

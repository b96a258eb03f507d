#include "base/net/address.h"

#include <gtest/gtest.h>

#include <string>

namespace monitor {
namespace {

TEST(SocketAddress, ParsesAndPrintsNumericHosts) {
  EXPECT_EQ(parse_socket_address("127.0.0.1", 80)->to_string(), "ipv4:127.0.0.1:80");
  EXPECT_EQ(parse_socket_address("::1", 80)->to_string(), "ipv6:[::1]:80");
  EXPECT_EQ(parse_socket_address("[::1]", 50051)->to_string(), "ipv6:[::1]:50051");
  for (const char* bad : {"localhost", "", "[127.0.0.1]", "1.2.3", "::1]"})
    EXPECT_FALSE(parse_socket_address(bad, 1).ok());
}

TEST(HostPort, ParsesHostAndPort) {
  const auto show = [](const std::string& text) {
    const Result<HostPort> target = parse_host_port(text, 50051);
    return target.ok() ? target->host + " " + std::to_string(target->port) : "bad";
  };
  EXPECT_EQ(show("localhost:6000"), "localhost 6000");
  EXPECT_EQ(show("localhost"), "localhost 50051");
  EXPECT_EQ(show("[::1]:6000"), "::1 6000");
  EXPECT_EQ(show("[::1]"), "::1 50051");
  EXPECT_EQ(show("::1"), "::1 50051");
  for (const char* bad : {"", ":1", "host:", "host:0", "host:65536", "host:x", "[::1", "[::1]x", "local host",
                          "local host:1", " a:1", "a\n:1", "http://a:1", "a/b", "[a b]:1", "\xC3\xBC:1"}) {
    EXPECT_EQ(show(bad), "bad") << bad;
  }
}

TEST(HostPort, PortZeroIsForListeners) {
  EXPECT_FALSE(parse_host_port("host:0", 1).ok());
  EXPECT_EQ(parse_host_port("host:0", 1, PortZero::kAllowed)->port, 0);
}

TEST(HostPort, PrintsV6InBrackets) {
  EXPECT_EQ((HostPort{"::1", 80}.to_string()), "[::1]:80");
  EXPECT_EQ((HostPort{"localhost", 80}.to_string()), "localhost:80");
}

}  // namespace
}  // namespace monitor

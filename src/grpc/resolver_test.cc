#include "grpc/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace monitor::grpc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(AddressTest, LiteralsAreParsedAndShown) {
  EXPECT_EQ(parse_address("127.0.0.1", 80)->to_string(), "ipv4:127.0.0.1:80");
  EXPECT_EQ(parse_address("::1", 80)->to_string(), "ipv6:[::1]:80");
  EXPECT_EQ(parse_address("[::1]", 50051)->to_string(), "ipv6:[::1]:50051");
  for (const char* bad : {"localhost", "", "[127.0.0.1]", "1.2.3", "::1]"}) EXPECT_FALSE(parse_address(bad, 1).ok());
}

TEST(TargetTest, HostAndPort) {
  const auto show = [](const std::string& text) {
    const Result<Target> target = parse_target(text, 50051);
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

TEST(AddressTest, FamiliesTakeTurns) {
  std::vector<Address> addresses;
  for (const char* text : {"::1", "::2", "::3", "10.0.0.1"}) addresses.push_back(*parse_address(text, 1));
  std::vector<std::string> order;
  for (const Address& address : interleave_families(addresses)) order.push_back(address.to_string());
  EXPECT_THAT(order, ElementsAre("ipv6:[::1]:1", "ipv4:10.0.0.1:1", "ipv6:[::2]:1", "ipv6:[::3]:1"));
}

class ThreadResolverTest : public testing::Test {
 protected:
  Result<std::vector<Address>> resolve(const std::string& host) {
    ThreadResolver resolver(loop_);
    std::optional<Result<std::vector<Address>>> result;
    resolver.resolve(host, 7, [&](Result<std::vector<Address>> addresses) { result = std::move(addresses); });
    EXPECT_FALSE(result.has_value());  // never from inside
    while (!result) loop_.run_once(-1);
    return *result;
  }
  SystemClock clock_;
  EventLoop loop_{clock_};
};

TEST_F(ThreadResolverTest, LiteralsAndLocalhost) {
  EXPECT_EQ(resolve("127.0.0.1")->at(0).to_string(), "ipv4:127.0.0.1:7");
  const Result<std::vector<Address>> localhost = resolve("localhost");
  ASSERT_TRUE(localhost.ok()) << localhost.error().to_string();
  EXPECT_EQ(localhost->at(0).port(), 7);
}

TEST_F(ThreadResolverTest, UnknownNamesAreAnError) {
  const Result<std::vector<Address>> result = resolve("no-such-host.invalid");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), Code::kUnavailable);
  EXPECT_THAT(result.error().message(), HasSubstr("no-such-host.invalid"));
}

TEST_F(ThreadResolverTest, MayGoWhileANameIsLookedUp) {
  for (int i = 0; i < 20; ++i) {
    ThreadResolver resolver(loop_);
    resolver.resolve("localhost", 1, [](const Result<std::vector<Address>>&) {});
  }
  loop_.run_once(0);
}

}  // namespace
}  // namespace monitor::grpc

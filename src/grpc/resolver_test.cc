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

TEST(InterleaveFamilies, AlternatesFamilies) {
  std::vector<SocketAddress> addresses;
  for (const char* text : {"::1", "::2", "::3", "10.0.0.1"}) addresses.push_back(*parse_socket_address(text, 1));
  std::vector<std::string> order;
  for (const SocketAddress& address : interleave_families(addresses)) order.push_back(address.to_string());
  EXPECT_THAT(order, ElementsAre("ipv6:[::1]:1", "ipv4:10.0.0.1:1", "ipv6:[::2]:1", "ipv6:[::3]:1"));
}

class ThreadResolverTest : public testing::Test {
 protected:
  Result<std::vector<SocketAddress>> resolve(const std::string& host) {
    ThreadResolver resolver(loop_);
    std::optional<Result<std::vector<SocketAddress>>> result;
    resolver.resolve(host, 7, [&](Result<std::vector<SocketAddress>> addresses) { result = std::move(addresses); });
    EXPECT_FALSE(result.has_value());  // never from within resolve()
    while (!result) loop_.run_once(-1);
    return *result;
  }
  SystemClock clock_;
  EventLoop loop_{clock_};
};

TEST_F(ThreadResolverTest, ResolvesLiteralsAndLocalhost) {
  EXPECT_EQ(resolve("127.0.0.1")->at(0).to_string(), "ipv4:127.0.0.1:7");
  const Result<std::vector<SocketAddress>> localhost = resolve("localhost");
  ASSERT_TRUE(localhost.ok()) << localhost.error().to_string();
  EXPECT_EQ(localhost->at(0).port(), 7);
}

TEST_F(ThreadResolverTest, ReportsUnknownNames) {
  const Result<std::vector<SocketAddress>> result = resolve("no-such-host.invalid");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code(), Code::kUnavailable);
  EXPECT_THAT(result.error().message(), HasSubstr("no-such-host.invalid"));
}

TEST_F(ThreadResolverTest, CanBeDestroyedDuringALookup) {
  for (int i = 0; i < 20; ++i) {
    ThreadResolver resolver(loop_);
    resolver.resolve("localhost", 1, [](const Result<std::vector<SocketAddress>>&) {});
  }
  loop_.run_once(0);
}

}  // namespace
}  // namespace monitor::grpc

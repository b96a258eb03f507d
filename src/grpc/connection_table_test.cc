#include "grpc/connection_table.h"

#include <gtest/gtest.h>

namespace monitor::grpc {
namespace {

using Verdict = ConnectionTable::Verdict;

SocketAddress at(const std::string& host) { return *parse_socket_address(host, 1); }

TEST(ConnectionTable, CapsEachAddressByItself) {
  ConnectionTable table({.total = 100, .per_address = 2});
  EXPECT_EQ(table.enter(at("10.0.0.1")), Verdict::kWelcome);
  EXPECT_EQ(table.enter(at("10.0.0.1")), Verdict::kWelcome);
  EXPECT_EQ(table.enter(at("10.0.0.1")), Verdict::kTooManyFromAddress);
  EXPECT_EQ(table.enter(at("10.0.0.2")), Verdict::kWelcome);
  table.leave(at("10.0.0.1"));
  EXPECT_EQ(table.enter(at("10.0.0.1")), Verdict::kWelcome);
  EXPECT_EQ(table.open(), 3U);
}

TEST(ConnectionTable, CapsTheTotal) {
  ConnectionTable table({.total = 2, .per_address = 100});
  EXPECT_EQ(table.enter(at("10.0.0.1")), Verdict::kWelcome);
  EXPECT_EQ(table.enter(at("127.0.0.1")), Verdict::kWelcome);
  EXPECT_EQ(table.enter(at("10.0.0.3")), Verdict::kTooMany);
}

TEST(ConnectionTable, TreatsAnIpv6NetworkAsOneAddress) {
  ConnectionTable table({.total = 100, .per_address = 1});
  EXPECT_EQ(table.enter(at("2001:db8::1")), Verdict::kWelcome);
  EXPECT_EQ(table.enter(at("2001:db8::2")), Verdict::kTooManyFromAddress);
  EXPECT_EQ(table.enter(at("2001:db8:0:1::2")), Verdict::kWelcome);
}

TEST(ConnectionTable, CountsMappedAddressesAsIpv4) {
  ConnectionTable table({.total = 100, .per_address = 1});
  EXPECT_EQ(table.enter(at("::ffff:10.0.0.1")), Verdict::kWelcome);
  EXPECT_EQ(table.enter(at("10.0.0.1")), Verdict::kTooManyFromAddress);
}

TEST(ConnectionTable, ExemptsLoopbackUnlessConfigured) {
  ConnectionTable exempt({.total = 100, .per_address = 1});
  ConnectionTable strict({.total = 100, .per_address = 1, .loopback_exempt = false});
  for (const char* host : {"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_EQ(exempt.enter(at(host)), Verdict::kWelcome) << host;
  }
  EXPECT_EQ(strict.enter(at("127.0.0.1")), Verdict::kWelcome);
  EXPECT_EQ(strict.enter(at("::1")), Verdict::kTooManyFromAddress);
}

}  // namespace
}  // namespace monitor::grpc

#include "telemetry/http/connection_table.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include <cstring>

namespace monitor::telemetry {
namespace {

using Room = ConnectionTable::Room;

PeerAddress from(const std::string& group) { return {.text = group + ":1", .group = group}; }

TEST(ConnectionTable, EvictsTheOldestUnfinishedConnectionOfTheBusiestAddress) {
  ConnectionTable table({.connections = 4, .per_address = 3});
  const auto quiet = table.add(1, from("quiet"), 0);
  const auto first = table.add(2, from("flood"), 1);
  const auto second = table.add(3, from("flood"), 2);
  EXPECT_EQ(table.room_for("other"), Room::kYes);
  table.add(4, from("flood"), 3);
  EXPECT_EQ(table.room_for("other"), Room::kFull);
  EXPECT_EQ(table.room_for("flood"), Room::kAddressFull);
  EXPECT_EQ(table.victim(Room::kFull, "other", 4), first);
  table.leave(first);
  EXPECT_EQ(table.room_for("other"), Room::kYes);
  EXPECT_EQ(table.victim(Room::kAddressFull, "flood", 4), second);
  table.remove(first);
  EXPECT_EQ(table.victim(Room::kAddressFull, "quiet", 4), quiet);
}

TEST(ConnectionTable, KeepsActiveRequestsAndStreamsAndSparesRepliesBriefly) {
  ConnectionTable table({.connections = 3, .per_address = 3});
  const auto stream = table.add(1, from("a"), 0);
  const auto busy = table.add(2, from("a"), 0);
  const auto reply = table.add(3, from("a"), 0);
  table.set_phase(stream, HttpPhase::kStream, 0);
  table.set_phase(busy, HttpPhase::kBusy, 0);
  table.set_phase(reply, HttpPhase::kReply, 0);
  EXPECT_EQ(table.streams_of("a"), 1U);
  EXPECT_EQ(table.victim(Room::kFull, "b", ConnectionTable::kReplyGrace - 1), ConnectionTable::kNone);
  EXPECT_EQ(table.victim(Room::kFull, "b", ConnectionTable::kReplyGrace), reply);
  table.remove(stream);
  EXPECT_EQ(table.streams_of("a"), 0U);
  EXPECT_EQ(table.size(), 2U);
}

TEST(ConnectionTable, LeavesDescriptorsToTheRestOfTheProgram) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 64;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  const ConnectionLimits limits = within_descriptors({.connections = 256, .per_address = 192}, 0.25);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(limits.connections, 16U);
  EXPECT_EQ(limits.per_address, 12U);
  EXPECT_EQ(within_descriptors({.connections = 4, .per_address = 3}, 1).connections, 4U);
}

sockaddr_storage v6(const char* text) {
  sockaddr_storage storage{};
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(7);
  EXPECT_EQ(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
  std::memcpy(&storage, &address, sizeof address);
  return storage;
}

TEST(PeerAddress, GroupsMappedAddressesAsIPv4AndIPv6ByNetwork) {
  EXPECT_EQ(peer_address(v6("::ffff:192.0.2.7")).group, "192.0.2.7");
  EXPECT_EQ(peer_address(v6("::ffff:192.0.2.7")).text, "192.0.2.7:7");
  EXPECT_EQ(peer_address(v6("2001:db8::1")).group, peer_address(v6("2001:db8::ffff:1")).group);
  EXPECT_NE(peer_address(v6("2001:db8::1")).group, peer_address(v6("2001:db8:0:1::1")).group);
  EXPECT_EQ(peer_address(v6("2001:db8::1")).text, "[2001:db8::1]:7");
}

}  // namespace
}  // namespace monitor::telemetry

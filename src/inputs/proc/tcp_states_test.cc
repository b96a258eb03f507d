// TCP sockets by state: netlink's answers, in pieces and malformed, and the text of net/tcp.
#include "inputs/proc/tcp_states.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <string>

namespace monitor::agent {
namespace {

std::string message(uint16_t type, std::string body) {
  nlmsghdr head{};
  head.nlmsg_len = static_cast<uint32_t>(NLMSG_HDRLEN + body.size());
  head.nlmsg_type = type;
  std::string out(reinterpret_cast<const char*>(&head), sizeof head);
  out += body;
  out.resize(NLMSG_ALIGN(out.size()));
  return out;
}
std::string socket_in(uint8_t state) {
  inet_diag_msg body{};
  body.idiag_state = state;
  return message(SOCK_DIAG_BY_FAMILY, std::string(reinterpret_cast<const char*>(&body), sizeof body));
}

TEST(TcpStates, CountsTheSocketsOfAPiece) {
  TcpStateCounts counts{};
  const auto more =
      count_tcp_messages(socket_in(1) + socket_in(10) + socket_in(1) + socket_in(12) + socket_in(99), counts);
  ASSERT_TRUE(more.ok());
  EXPECT_TRUE(*more);
  EXPECT_EQ(counts[1], 2U);
  EXPECT_EQ(counts[3], 1U);
  EXPECT_EQ(counts[10], 1U);
  const auto done = count_tcp_messages(socket_in(1) + message(NLMSG_DONE, std::string(4, '\0')), counts);
  ASSERT_TRUE(done.ok());
  EXPECT_FALSE(*done);
  EXPECT_EQ(counts[1], 3U);
}

TEST(TcpStates, RefusesMalformedAndFailedAnswers) {
  TcpStateCounts counts{};
  std::string longer = socket_in(1);
  longer.resize(longer.size() - 4);
  EXPECT_FALSE(count_tcp_messages(longer, counts).ok());
  const int fault = -EPERM;
  const auto refused = count_tcp_messages(
      message(NLMSG_ERROR, std::string(reinterpret_cast<const char*>(&fault), sizeof fault)), counts);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("sock_diag"), std::string::npos);
  EXPECT_TRUE(count_tcp_messages(message(SOCK_DIAG_BY_FAMILY, "x"), counts).ok());
  EXPECT_EQ(counts, TcpStateCounts{});
}

TEST(TcpStates, ReadsTheFilesOfAnotherHost) {
  TcpStateCounts counts{};
  count_tcp_lines(
      "  sl  local_address rem_address   st\n   0: 0:0 0:0 0A 0\n   1: 0:0 0:0 01 0\n   2: 0:0 0:0 0C\n"
      "   3: 0:0 0:0 zz 0\n   4:\n\n",
      counts);
  EXPECT_EQ(counts[10], 1U);
  EXPECT_EQ(counts[1], 1U);
  EXPECT_EQ(counts[3], 1U);
}

// A listening socket of this test's own raises the kernel's number.
TEST(TcpStates, AsksTheKernel) {
  TcpStates states(Roots{});
  const auto before = states.read();
  ASSERT_TRUE(before.ok()) << before.error().message();
  constexpr size_t kListen = 10;
  std::vector<Fd> sockets;
  for (int i = 0; i < 50; ++i) {
    sockets.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(listen(sockets.back().get(), 1), 0);
  }
  const auto after = states.read();
  ASSERT_TRUE(after.ok());
  EXPECT_GE((*after)[kListen] + 10, (*before)[kListen] + 50);  // others may have closed some
}

}  // namespace
}  // namespace monitor::agent

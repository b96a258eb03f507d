#include "base/net/listen_socket.h"

#include <gtest/gtest.h>

namespace monitor {
namespace {

TEST(ListenSocket, PicksAFreePort) {
  const auto fd = listen_tcp(*parse_socket_address("127.0.0.1", 0), {}, "test");
  ASSERT_TRUE(fd);
  EXPECT_NE(bound_port(fd->get()), 0);
}

TEST(ListenSocket, ReportsAPortThatIsTaken) {
  const auto first = listen_tcp(*parse_socket_address("127.0.0.1", 0), {}, "test");
  ASSERT_TRUE(first);
  const auto second = listen_tcp(*parse_socket_address("127.0.0.1", bound_port(first->get())), {}, "test");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kAlreadyExists);
  EXPECT_EQ(second.error().message(), "test: Address already in use");
}

TEST(ListenSocket, SharesAPortWithReusePort) {
  const ListenOptions shared{.reuse_port = true};
  const auto first = listen_tcp(*parse_socket_address("127.0.0.1", 0), shared, "test");
  ASSERT_TRUE(first);
  EXPECT_TRUE(listen_tcp(*parse_socket_address("127.0.0.1", bound_port(first->get())), shared, "test"));
}

TEST(ListenSocket, HasNoPortIfTheDescriptorIsNotASocket) { EXPECT_EQ(bound_port(-1), 0); }

}  // namespace
}  // namespace monitor

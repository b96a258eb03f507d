#include "base/host_name.h"

#include <gtest/gtest.h>

#include <string>

namespace monitor {
namespace {

TEST(ValidHostTest, AcceptsOnlyNamesAndAddresses) {
  for (const char* good : {"localhost", "10.0.0.1", "::1", "fe80::1%eth0", "my_host-1.example.org."}) {
    EXPECT_TRUE(valid_host(good)) << good;
  }
  for (const char* bad : {"", "local host", "a/b", "a@b", "a\tb", "\xC3\xBC", "[::1]"}) {
    EXPECT_FALSE(valid_host(bad)) << bad;
  }
  EXPECT_TRUE(valid_host(std::string(253, 'a')));
  EXPECT_FALSE(valid_host(std::string(254, 'a')));
}

}  // namespace
}  // namespace monitor

#include "ui/access/credentials.h"

#include <gtest/gtest.h>

#include "ui/access/network.h"
#include "ui/access/role.h"

namespace monitor::access {
namespace {

const std::string kId(64, 'a');

TEST(Credentials, ALoginIsAnObjectOfTwoTexts) {
  const auto given = parse_login(R"({"user":"ann","password":"pä\u0022ss"})");
  ASSERT_TRUE(given);
  EXPECT_EQ(given->user, "ann");
  EXPECT_EQ(given->password, "p\xC3\xA4\"ss");
  for (const std::string& wrong :
       {std::string(), std::string("{}"), std::string("[]"), std::string(R"({"user":"ann"})"),
        std::string(R"({"user":"ann","password":7})"), std::string(R"({"user":"","password":"x"})"),
        std::string(R"({"user":"ann","password":"x","role":"admin"})"), std::string("user=ann&password=secret"),
        R"({"user":"ann","password":")" + std::string(1025, 'x') + "\"}",
        R"({"user":")" + std::string(300, 'x') + R"(","password":"x"})", std::string(5000, ' '),
        std::string(4000, '[')}) {
    const auto parsed = parse_login(wrong);
    ASSERT_FALSE(parsed) << wrong.substr(0, 80);
    EXPECT_EQ(parsed.error().message().find("secret"), std::string::npos);
  }
}

TEST(Credentials, FindsTheSessionCookie) {
  const auto id = [](const std::string& header) { return session_cookie({header}, "monitor-session"); };
  EXPECT_EQ(id("monitor-session=" + kId), kId);
  EXPECT_EQ(id("a=b; monitor-session=" + kId + "; c=d"), kId);
  EXPECT_EQ(id("a=b;monitor-session=" + kId + ";"), kId);
  EXPECT_EQ(id("monitor-session=" + kId + "; monitor-session=" + kId), kId);
  EXPECT_EQ(id(""), std::nullopt);
  EXPECT_EQ(id("monitor-session"), std::nullopt);
  EXPECT_EQ(id("Monitor-Session=" + kId), std::nullopt) << "names of cookies are exact";
  EXPECT_EQ(id("x-monitor-session=" + kId), std::nullopt);
  EXPECT_EQ(id("__Host-monitor-session=" + kId), std::nullopt);
  EXPECT_EQ(id("monitor-session=" + kId + "a"), std::nullopt);
  EXPECT_EQ(id("monitor-session=" + std::string(64, 'A')), std::nullopt);
  EXPECT_EQ(id("monitor-session=\"" + kId + "\""), std::nullopt);
}

TEST(Credentials, ConflictingSessionCookiesProveNothing) {
  const std::string other(64, 'b');
  EXPECT_EQ(session_cookie({"s=" + kId + "; s=" + other}, "s"), std::nullopt);
  EXPECT_EQ(session_cookie({"s=" + kId, "s=" + other}, "s"), std::nullopt);
  EXPECT_EQ(session_cookie({"s=" + kId, "t=" + other}, "s"), kId);
}

TEST(Network, ContainsItsAddresses) {
  const auto in = [](const std::string& network, const std::string& address) {
    return Network::parse(network)->contains(address);
  };
  EXPECT_TRUE(in("10.0.0.0/8", "10.1.2.3:4711"));
  EXPECT_FALSE(in("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(in("192.0.2.7", "192.0.2.7:80"));
  EXPECT_FALSE(in("192.0.2.7", "192.0.2.8:80"));
  EXPECT_TRUE(in("192.0.2.7", "[::ffff:192.0.2.7]:80")) << "mapped";
  EXPECT_TRUE(in("2001:db8::/32", "[2001:db8:1::1]:443"));
  EXPECT_FALSE(in("2001:db8::/32", "[2001:db9::1]:443"));
  EXPECT_TRUE(in("::1", "[::1]:80"));
  EXPECT_TRUE(in("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(in("0.0.0.0/0", "[2001:db8::1]:1")) << "all of IPv4 is not all of IPv6";
  for (const char* const address : {"", "unknown", "10.0.0", "[10.0.0.1", "10.0.0.1.evil.example"}) {
    EXPECT_FALSE(in("0.0.0.0/0", address)) << address;
  }
}

TEST(Network, RejectsWhatIsNoNetwork) {
  for (const char* const wrong : {"", "proxy", "10.0.0.0/33", "10.0.0.7/8", "10.0.0.0/", "10.0.0.0/-1", "/8", "::1/129",
                                  "2001:db8::1/32", "10.0.0.0/8/8", "10.0.0.1:80"}) {
    EXPECT_FALSE(Network::parse(wrong)) << wrong;
  }
}

TEST(Role, IsOrderedAndNamed) {
  EXPECT_LT(Role::kNone, Role::kViewer);
  EXPECT_LT(Role::kViewer, Role::kEditor);
  EXPECT_LT(Role::kEditor, Role::kAdmin);
  EXPECT_EQ(*parse_role("editor"), Role::kEditor);
  for (const char* const wrong : {"", "none", "Admin", "root", "admin "}) EXPECT_FALSE(parse_role(wrong)) << wrong;
}

}  // namespace
}  // namespace monitor::access

#include "ui/web/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <filesystem>

#include "base/disk.h"
#include "base/testing/fake_clock.h"
#include "ui/access/secret.h"

namespace monitor::analysis::web {
namespace {

using access::Role;
using ::testing::HasSubstr;
using ::testing::Not;
using Kind = Identity::Kind;

const std::string kHash = "scrypt:1024:1:1:" + std::string(32, 'a') + ":" + std::string(64, 'b');
const std::string kApiToken = std::string(access::kTokenPrefix) + std::string(64, 'c');
constexpr const char* kWebToken = "0123456789abcdef";

class GateTest : public ::testing::Test {
 protected:
  GateTest() {
    std::string name = std::filesystem::temp_directory_path() / "gate-XXXXXX";
    folder_ = mkdtemp(name.data());
    accounts_.users["ann"] = {"ann", Role::kAdmin, kHash, 0};
    accounts_.users["ed"] = {"ed", Role::kEditor, kHash, 0};
    accounts_.users["vic"] = {"vic", Role::kViewer, kHash, 0};
    accounts_.tokens["ci"] = {"ci", Role::kEditor, access::digest_of(kApiToken), 0,
                              clock_.wall_ns() + 100 * kNanosPerSecond};
    store();
  }
  ~GateTest() override { std::filesystem::remove_all(folder_); }

  void store() {
    ASSERT_TRUE(access::edit_accounts(disk_, folder_ + "/users.json", [&](access::Accounts& all) {
      all = accounts_;
      return Status();
    }));
  }
  // With `closed`, the users file is in force.
  Gate& gate(bool closed = true) {
    access_.token = kWebToken;
    if (closed) access_.users_file = folder_ + "/users.json";
    gate_ = std::make_unique<Gate>(access_, clock_, random_, audit_, registry_);
    EXPECT_TRUE(gate_->start());
    return *gate_;
  }
  static Request get() {
    return {.method = "GET",
            .path = "/api/v1/fleet",
            .host = "localhost",
            .address = "192.0.2.1:4711",
            .address_group = "192.0.2.1"};
  }
  static Request put() {
    Request request = get();
    request.method = "PUT";
    return request;
  }
  static Request with(Request request, const std::string& header, const std::string& value) {
    request.headers.emplace_back(header, value);
    if (header == "Authorization") request.authorization = value;
    return request;
  }
  // The request with the cookie of a new session of this user.
  Request as(const std::string& user, const Request& request) {
    const std::string cookie = gate_->log_in(get(), user, kHash);
    return with(request, "Cookie", cookie.substr(0, cookie.find(';')));
  }
  Request with_csrf(const Request& request) {
    return with(request, "X-CSRF-Token", gate_->identify(request, false).csrf);
  }
  // 200, or the status of the refusal.
  unsigned ask(const Request& request, Role need) {
    const auto answer = gate_->admit(request, need);
    const auto* const refused = std::get_if<Reply>(&answer);
    last_ = refused == nullptr ? "" : *refused->body;
    return refused == nullptr ? 200 : refused->status;
  }

  FakeClock clock_;
  SeededRandom random_{3};
  PosixDisk disk_;
  telemetry::Registry registry_;
  std::string folder_;
  access::Accounts accounts_;
  access::AuditLog audit_{clock_, ""};
  Access access_;
  std::unique_ptr<Gate> gate_;
  std::string last_;
};

TEST_F(GateTest, AnOpenPageIsReadByAllAndChangedWithTheWebToken) {
  gate(false);
  EXPECT_EQ(ask(get(), Role::kViewer), 200U);
  EXPECT_EQ(ask(put(), Role::kEditor), 401U);
  EXPECT_THAT(last_, HasSubstr("web-token"));
  EXPECT_EQ(ask(with(put(), "Authorization", "Bearer wrong"), Role::kEditor), 401U);
  EXPECT_EQ(ask(with(put(), "Authorization", std::string("Bearer ") + kWebToken), Role::kEditor), 200U);
  EXPECT_EQ(ask(with(get(), "Authorization", "Bearer wrong"), Role::kViewer), 200U) << "none is needed";
  EXPECT_EQ(ask(get(), Role::kAdmin), 403U);
  EXPECT_EQ(ask(with(put(), "Origin", ""), Role::kViewer), 200U);
  access_.token.clear();
  EXPECT_EQ(ask(put(), Role::kEditor), 403U) << "without a token, changes are disabled";
}

TEST_F(GateTest, AClosedPageNeedsAnIdentity) {
  gate();
  EXPECT_EQ(ask(get(), Role::kNone), 200U);
  for (const Role need : {Role::kViewer, Role::kEditor, Role::kAdmin}) {
    EXPECT_EQ(ask(get(), need), 401U);
    EXPECT_EQ(ask(put(), need), 401U);
    EXPECT_EQ(ask(with(get(), "Authorization", "Bearer wrong"), need), 401U);
    EXPECT_EQ(ask(with(get(), "Cookie", "monitor-session=" + std::string(64, '0')), need), 401U);
  }
}

TEST_F(GateTest, RolesIncludeTheWeakerOnes) {
  gate();
  for (const auto& [user, role] : accounts_.users) {
    for (const Role need : {Role::kViewer, Role::kEditor, Role::kAdmin}) {
      EXPECT_EQ(ask(as(user, get()), need), role.role >= need ? 200U : 403U) << user;
      EXPECT_EQ(ask(with_csrf(as(user, put())), need), role.role >= need ? 200U : 403U) << user;
    }
  }
  EXPECT_EQ(ask(with_csrf(as("vic", put())), Role::kEditor), 403U);
  EXPECT_THAT(last_, HasSubstr("needs the role editor, and vic has the role viewer"));
  EXPECT_THAT(audit_.newest(1), HasSubstr("\"event\":\"refused\",\"who\":\"vic\""));
}

TEST_F(GateTest, ChangesBySessionsNeedTheCsrfTokenOfThatSession) {
  gate();
  const Request request = as("ed", put());
  EXPECT_EQ(ask(request, Role::kEditor), 403U);
  EXPECT_THAT(last_, HasSubstr("X-CSRF-Token"));
  EXPECT_EQ(ask(with_csrf(request), Role::kEditor), 200U);
  const std::string others = gate_->identify(as("ed", get()), false).csrf;
  EXPECT_EQ(ask(with(request, "X-CSRF-Token", others), Role::kEditor), 403U) << "of another session of the user";
  EXPECT_EQ(ask(with(request, "X-CSRF-Token", ""), Role::kEditor), 403U);
  EXPECT_EQ(ask(with(with_csrf(request), "X-CSRF-Token", "second"), Role::kEditor), 403U);
}

TEST_F(GateTest, ChangesFromForeignPagesAreRefusedWhateverTheyProve) {
  gate();
  for (Request request : {with_csrf(as("ann", put())), with(put(), "Authorization", "Bearer " + kApiToken), put()}) {
    request.origin = "http://evil.example";
    EXPECT_EQ(ask(request, Role::kNone), 403U);
    EXPECT_EQ(ask(request, Role::kEditor), 403U);
    request.origin = "";
    request.site = "cross-site";
    EXPECT_EQ(ask(request, Role::kEditor), 403U);
  }
}

TEST_F(GateTest, ADoubledHeaderProvesNothing) {
  gate();
  const Request own = with_csrf(as("ed", put()));
  ASSERT_EQ(ask(own, Role::kEditor), 200U);
  EXPECT_EQ(ask(with(own, "X-CSRF-Token", gate_->identify(own, false).csrf), Role::kEditor), 403U) << "the same twice";
  EXPECT_EQ(ask(as("vic", own), Role::kEditor), 401U) << "two sessions";
  const Request token = with(put(), "Authorization", "Bearer " + kApiToken);
  ASSERT_EQ(ask(token, Role::kEditor), 200U);
  EXPECT_EQ(ask(with(token, "Authorization", "Bearer " + kApiToken), Role::kEditor), 401U);
  for (const auto& [name, first] : {std::pair("Origin", "http://localhost"), {"Sec-Fetch-Site", "same-origin"}}) {
    Request request = with(own, name, first);
    (name == std::string("Origin") ? request.origin : request.site) = first;
    EXPECT_EQ(ask(request, Role::kEditor), 200U) << name;
    EXPECT_EQ(ask(with(request, name, first), Role::kEditor), 403U) << name;
    EXPECT_EQ(ask(with(request, name, "http://evil.example"), Role::kEditor), 403U) << name;
  }
}

TEST_F(GateTest, FailedLoginsNameOnlyUsersWhoExist) {
  gate();
  EXPECT_EQ(gate_->logged_name("ann"), "ann");
  const std::string typed = gate_->logged_name("my password");
  EXPECT_THAT(typed, ::testing::MatchesRegex(R"(\(unknown user [0-9a-f]{8}\))"));
  EXPECT_EQ(gate_->logged_name("my password"), typed) << "the attempts of one name can be counted";
  EXPECT_NE(gate_->logged_name("my passwords"), typed);
  EXPECT_NE(gate_->logged_name("Ann"), "Ann");
}

TEST_F(GateTest, ApiTokensHaveARoleAndExpire) {
  gate();
  const Request read = with(get(), "Authorization", "Bearer " + kApiToken);
  const Request change = with(put(), "Authorization", "Bearer " + kApiToken);
  EXPECT_EQ(ask(read, Role::kViewer), 200U);
  EXPECT_EQ(ask(change, Role::kEditor), 200U) << "no browser attaches it by itself, so it needs no CSRF token";
  EXPECT_EQ(ask(change, Role::kAdmin), 403U);
  EXPECT_TRUE(gate_->still_reads(read));
  clock_.advance(100 * kNanosPerSecond);
  EXPECT_EQ(ask(read, Role::kViewer), 401U);
  EXPECT_FALSE(gate_->still_reads(read));
}

TEST_F(GateTest, AWrongTokenIsNotOutweighedByACookie) {
  gate();
  EXPECT_EQ(ask(with(as("ann", get()), "Authorization", "Bearer wrong"), Role::kViewer), 401U);
}

TEST_F(GateTest, LimitsGuessesOfTokensButNotSessions) {
  gate();
  const Request wrong = with(get(), "Authorization", "Bearer wrong");
  for (int i = 0; i < ChangeGuard::kBurst; ++i) EXPECT_EQ(ask(wrong, Role::kViewer), 401U);
  EXPECT_EQ(ask(wrong, Role::kViewer), 429U);
  EXPECT_EQ(ask(with(get(), "Authorization", "Bearer " + kApiToken), Role::kViewer), 429U);
  EXPECT_EQ(ask(as("vic", get()), Role::kViewer), 200U);
}

TEST_F(GateTest, LoggingInReplacesTheSessionThatTheBrowserHas) {
  gate();
  const Request old = as("vic", get());
  const std::string cookie = gate_->log_in(old, "ann", kHash);
  EXPECT_EQ(ask(old, Role::kViewer), 401U);
  EXPECT_EQ(ask(with(get(), "Cookie", cookie.substr(0, cookie.find(';'))), Role::kAdmin), 200U);
  EXPECT_THAT(cookie, HasSubstr("; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200"));
  EXPECT_THAT(cookie, Not(HasSubstr("Secure")));
}

TEST_F(GateTest, UnderTlsOnlyASecureCookieCounts) {
  access_.tls = true;
  gate();
  const std::string cookie = gate_->log_in(get(), "ann", kHash);
  EXPECT_THAT(cookie, ::testing::StartsWith("__Host-monitor-session="));
  EXPECT_THAT(cookie, HasSubstr("; Secure"));
  const std::string pair = cookie.substr(0, cookie.find(';'));
  EXPECT_EQ(ask(with(get(), "Cookie", pair), Role::kViewer), 200U);
  EXPECT_EQ(ask(with(get(), "Cookie", pair.substr(std::string("__Host-").size())), Role::kViewer), 401U);
}

TEST_F(GateTest, LoggingOutEndsTheSession) {
  gate();
  const Request request = as("ann", get());
  EXPECT_THAT(gate_->log_out(request), HasSubstr("monitor-session=; "));
  EXPECT_EQ(ask(request, Role::kViewer), 401U);
  EXPECT_FALSE(gate_->still_reads(request));
}

TEST_F(GateTest, SessionsEndWhenTheyExpire) {
  access_.sessions = {.idle_ns = 10 * kNanosPerSecond, .max_age_ns = 20 * kNanosPerSecond};
  gate();
  const Request request = as("ann", get());
  clock_.advance(9 * kNanosPerSecond);
  EXPECT_TRUE(gate_->still_reads(request)) << "which is no use of it";
  clock_.advance(1 * kNanosPerSecond);
  EXPECT_EQ(ask(request, Role::kViewer), 401U);
}

TEST_F(GateTest, ChangesOfTheUsersFileTakeEffectAtOnce) {
  gate();
  const Request ann = as("ann", get());
  const Request ed = as("ed", get());
  const Request vic = as("vic", get());
  const Request token = with(get(), "Authorization", "Bearer " + kApiToken);
  accounts_.users.erase("ann");
  accounts_.users["ed"].password = "scrypt:1024:1:1:" + std::string(32, 'd') + ":" + std::string(64, 'e');
  accounts_.users["vic"].role = Role::kAdmin;
  accounts_.tokens.clear();
  store();
  gate_->tick();
  EXPECT_EQ(ask(ann, Role::kViewer), 401U) << "removed";
  EXPECT_EQ(ask(ed, Role::kViewer), 401U) << "has a new password";
  EXPECT_EQ(ask(vic, Role::kAdmin), 200U) << "has a new role";
  EXPECT_EQ(ask(token, Role::kViewer), 401U) << "revoked";
  const std::string audit = audit_.newest(100);
  for (const char* const event : {"user.removed", "user.password", "user.role", "token.revoked"}) {
    EXPECT_THAT(audit, HasSubstr(event));
  }
  EXPECT_THAT(audit, Not(HasSubstr("scrypt")));
}

class ProxyGateTest : public GateTest {
 protected:
  ProxyGateTest() {
    access_.proxies = {*access::Network::parse("192.0.2.0/24")};
    access_.proxy_user_header = "X-User";
    access_.proxy_role_header = "X-Role";
  }
};

TEST_F(ProxyGateTest, TrustsTheHeaderFromTheProxyOnly) {
  gate(false);
  Request request = with(get(), "x-user", "ann@example.org");
  EXPECT_EQ(ask(request, Role::kViewer), 200U);
  EXPECT_EQ(gate_->identify(request, false).name, "ann@example.org");
  EXPECT_EQ(ask(request, Role::kEditor), 403U) << "a viewer, unless the proxy says otherwise";
  request.address = "198.51.100.1:4711";
  EXPECT_EQ(ask(request, Role::kViewer), 401U);
  EXPECT_EQ(ask(get(), Role::kViewer), 401U) << "the proxy names nobody";
}

TEST_F(ProxyGateTest, TakesTheRoleAndNeedsTheCsrfToken) {
  gate(false);
  const Request request = with(with(put(), "X-User", "ann"), "X-Role", "editor");
  EXPECT_EQ(ask(request, Role::kEditor), 403U);
  EXPECT_EQ(ask(with_csrf(request), Role::kEditor), 200U);
  EXPECT_EQ(ask(with_csrf(request), Role::kAdmin), 403U);
}

TEST_F(ProxyGateTest, AmbiguousHeadersProveNothing) {
  gate(false);
  const Request ann = with(get(), "X-User", "ann");
  EXPECT_EQ(ask(with(ann, "X-User", "root"), Role::kViewer), 401U);
  EXPECT_EQ(ask(with(get(), "X-User", ""), Role::kViewer), 401U);
  EXPECT_EQ(ask(with(get(), "X-User", "ann, root"), Role::kViewer), 401U);
  EXPECT_EQ(ask(with(ann, "X-Role", "superuser"), Role::kViewer), 401U);
  EXPECT_EQ(ask(with(with(ann, "X-Role", "viewer"), "x-role", "admin"), Role::kViewer), 401U);
}

TEST_F(ProxyGateTest, LimitsTheClientsBehindTheProxyEach) {
  gate(false);
  const auto group = [&](const std::string& forwarded) {
    Request request = get();
    request.forwarded_for = forwarded;
    return gate_->client_group(request);
  };
  EXPECT_EQ(group("203.0.113.1, 203.0.113.2"), group("203.0.113.2")) << "what the proxy has seen";
  EXPECT_NE(group("203.0.113.1"), group("203.0.113.2"));
  EXPECT_EQ(group("203.0.113.2:4711"), group("203.0.113.2:4712")) << "a new connection is no new client";
  EXPECT_EQ(group("2001:db8::1"), group("[2001:db8::ffff]:4711")) << "one network of IPv6";
  EXPECT_NE(group("2001:db8::1"), group("2001:db8:0:1::1"));
  EXPECT_EQ(group("::ffff:203.0.113.2"), group("203.0.113.2"));
  EXPECT_EQ(group("unknown"), group("x")) << "all that are no addresses count as one";
  Request request = get();
  request.forwarded_for = "203.0.113.2";
  request.address = "198.51.100.1:4711";
  EXPECT_EQ(gate_->client_group(request), "192.0.2.1") << "anyone can claim it";
}

}  // namespace
}  // namespace monitor::analysis::web

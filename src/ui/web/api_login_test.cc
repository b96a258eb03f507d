// Logins over HTTP, with passwords that are cheap to hash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "notify/store.h"
#include "ui/access/accounts_file.h"
#include "ui/access/password.h"
#include "ui/web/testing/api_fixture.h"

namespace monitor::analysis::web {
namespace {

using access::Role;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPassword = "correct horse battery";

// A folder with a users file, which exists before the API starts.
class UsersFolder {
 public:
  explicit UsersFolder(const access::ScryptCost& cost = {1024, 1, 1}) {
    std::string name = std::filesystem::temp_directory_path() / "login-XXXXXX";
    folder_ = mkdtemp(name.data());
    SeededRandom random(5);
    const auto hash = access::hash_password(kPassword, random, cost);
    PosixDisk disk;
    EXPECT_TRUE(access::edit_accounts(disk, file(), [&](access::Accounts& accounts) {
      accounts.users["ann"] = {"ann", Role::kAdmin, *hash, 0};
      accounts.users["vic"] = {"vic", Role::kViewer, *hash, 0};
      return Status();
    }));
  }
  ~UsersFolder() { std::filesystem::remove_all(folder_); }
  UsersFolder(const UsersFolder&) = delete;
  UsersFolder& operator=(const UsersFolder&) = delete;

  std::string file() const { return folder_ + "/users.json"; }
  ApiOptions options() const {
    ApiOptions made;
    made.access.users_file = file();
    return made;
  }

 private:
  std::string folder_;
};

class ApiLogin : private UsersFolder, public ApiTest {
 protected:
  ApiLogin() : ApiTest(options()) { EXPECT_TRUE(api_->start()); }

  std::string log_in(const std::string& user, const std::string& password) {
    return ask("POST", "/api/v1/login", "", R"({"user":")" + user + R"(","password":")" + password + "\"}");
  }
  static std::string cookie_of(const std::string& answer) {
    const size_t at = answer.find("Set-Cookie: ");
    if (at == std::string::npos) return "";
    const size_t begin = at + std::string("Set-Cookie: ").size();
    return "Cookie: " + answer.substr(begin, answer.find(';', begin) - begin) + "\r\n";
  }
  std::string csrf_of(const std::string& cookie) {
    return "X-CSRF-Token: " + json(ask("GET", "/api/v1/session", cookie))["csrf"].get<std::string>() + "\r\n";
  }
};

TEST_F(ApiLogin, AClosedPageShowsItsFilesAndNothingElse) {
  for (const char* const open : {"/", "/app.js", "/healthz", "/readyz", "/api/v1/session"}) {
    EXPECT_EQ(status(ask("GET", open)), 200) << open;
  }
  for (const char* const closed : {"/metrics", "/api/v1/fleet", "/api/v1/openapi.json", "/api/v1/stream?topic=fleet"}) {
    const std::string answer = ask("GET", closed);
    EXPECT_EQ(status(answer), 401) << closed;
    EXPECT_THAT(answer, HasSubstr("WWW-Authenticate: Bearer"));
  }
  EXPECT_EQ(json(ask("GET", "/api/v1/session"))["by"], "anyone");
}

TEST_F(ApiLogin, ASessionReadsUntilItsLogout) {
  const std::string answer = log_in("vic", kPassword);
  ASSERT_EQ(status(answer), 200) << answer;
  EXPECT_EQ(json(answer)["role"], "viewer");
  const std::string cookie = cookie_of(answer);
  EXPECT_EQ(status(ask("GET", "/api/v1/fleet", cookie)), 200);
  EXPECT_EQ(status(ask("GET", "/metrics", cookie)), 200);
  EXPECT_EQ(status(ask("GET", "/api/v1/audit", cookie)), 403);
  EXPECT_EQ(json(ask("GET", "/api/v1/session", cookie))["user"], "vic");
  EXPECT_EQ(status(ask("POST", "/api/v1/logout", cookie)), 403) << "without the CSRF token";
  const std::string out = ask("POST", "/api/v1/logout", cookie + csrf_of(cookie));
  EXPECT_EQ(status(out), 200);
  EXPECT_THAT(out, HasSubstr("Set-Cookie: monitor-session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"));
  EXPECT_EQ(status(ask("GET", "/api/v1/fleet", cookie)), 401);
}

TEST_F(ApiLogin, EndsTheStreamsOfALogout) {
  const std::string cookie = cookie_of(log_in("vic", kPassword));
  const int fd = connect_to();
  const std::string request = "GET /api/v1/stream?topic=fleet HTTP/1.1\r\nHost: localhost\r\n" + cookie + "\r\n";
  ASSERT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  EXPECT_THAT(read_until(fd, "event: alive"), HasSubstr("200 OK"));
  EXPECT_EQ(status(ask("POST", "/api/v1/logout", cookie + csrf_of(cookie))), 200);
  read_until(fd, "\x01");
  char byte = 0;
  EXPECT_LE(recv(fd, &byte, 1, MSG_DONTWAIT), 0) << "the stream is still open";
  EXPECT_EQ(broadcaster_.streams(), 0U);
}

TEST_F(ApiLogin, WrongLoginsGetOneAnswer) {
  const std::string known = log_in("vic", "wrong");
  const std::string unknown = log_in("nobody", kPassword);
  EXPECT_EQ(status(known), 401);
  EXPECT_EQ(status(unknown), 401);
  EXPECT_EQ(json(known), json(unknown));
  EXPECT_EQ(cookie_of(known) + cookie_of(unknown), "");
  for (const char* const body : {"", "{}", R"({"user":"vic"})", "user=vic"}) {
    EXPECT_EQ(status(ask("POST", "/api/v1/login", "", body)), 400) << body;
  }
  EXPECT_EQ(status(ask("POST", "/api/v1/login", "Origin: http://evil.example\r\n",
                       R"({"user":"vic","password":"correct horse battery"})")),
            403);
}

TEST_F(ApiLogin, ASecondOriginIsRefused) {
  const std::string cookie = cookie_of(log_in("ann", kPassword));
  const std::string own = cookie + csrf_of(cookie) + "Origin: http://localhost\r\n";
  for (const char* const second : {"Origin: http://evil.example\r\n", "origin: http://localhost\r\n", "Origin:\r\n"}) {
    EXPECT_EQ(status(ask("POST", "/api/ui/v1/logout", own + second)), 403) << second;
    EXPECT_EQ(status(ask("POST", "/api/ui/v1/logout", second + own)), 403) << second;
  }
  EXPECT_EQ(status(ask("POST", "/api/ui/v1/logout", own + csrf_of(cookie))), 403) << "two CSRF tokens";
  EXPECT_EQ(status(ask("POST", "/api/ui/v1/logout", own + "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: none\r\n")),
            403);
  EXPECT_EQ(status(ask("GET", "/api/ui/v1/fleet", cookie)), 200) << "still logged in";
  EXPECT_EQ(status(ask("POST", "/api/ui/v1/logout", own)), 200);
}

TEST_F(ApiLogin, LimitsFailuresOfAnAddress) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(status(log_in("user" + std::to_string(i), "wrong")), 401);
  const std::string answer = log_in("vic", kPassword);
  EXPECT_EQ(status(answer), 429) << "the right password as well";
  EXPECT_THAT(answer, HasSubstr("Retry-After: "));
}

// Behind a proxy, which names the addresses of its clients. A password takes some 40 ms.
class SlowLogins : private UsersFolder, public ApiTest {
 protected:
  SlowLogins() : UsersFolder({1 << 14, 8, 1}), ApiTest(behind_a_proxy(options())) { EXPECT_TRUE(api_->start()); }

  static ApiOptions behind_a_proxy(ApiOptions options) {
    options.access.proxies = {*access::Network::parse("127.0.0.1/32")};
    return options;
  }
  int begin(const std::string& user, const std::string& password, const std::string& address) {
    const int fd = connect_to();
    const std::string body = R"({"user":")" + user + R"(","password":")" + password + "\"}";
    const std::string text =
        "POST /api/v1/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Forwarded-For: " + address +
        "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    EXPECT_EQ(send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    return fd;
  }
};

TEST_F(SlowLogins, AFullQueueCostsNoAttempt) {
  std::vector<int> others;
  for (int i = 0; i < 16; ++i) {
    others.push_back(begin("user" + std::to_string(i), "wrong", "192.0.2." + std::to_string(i)));
  }
  std::vector<int> own;
  for (int i = 0; i < 14; ++i) own.push_back(begin("vic", "wrong", "203.0.113.1"));
  size_t busy = 0;
  for (const int fd : own) busy += status(read_until(fd, "\x01")) == 503 ? 1 : 0;
  ASSERT_GE(busy, 5U) << "the queue was full";
  for (const int fd : others) read_until(fd, "\x01");
  EXPECT_EQ(status(read_until(begin("vic", kPassword, "203.0.113.1"), "\x01")), 200);
}

TEST_F(ApiLogin, SuccessesDoNotCountAsFailures) {
  for (int i = 0; i < 30; ++i) ASSERT_EQ(status(log_in("vic", kPassword)), 200) << i;
}

TEST_F(ApiLogin, AdminsReadTheAuditLog) {
  log_in("vic", "wrong");
  const std::string cookie = cookie_of(log_in("ann", kPassword));
  const auto audit = json(ask("GET", "/api/v1/audit", cookie));
  ASSERT_EQ(audit["events"].size(), 2U);
  EXPECT_EQ(audit["events"][0]["event"], "login");
  EXPECT_EQ(audit["events"][1]["event"], "login.failed");
  EXPECT_EQ(audit["events"][1]["who"], "vic");
  EXPECT_TRUE(audit["file"].is_null());
  // The password in the field of the name.
  log_in(kPassword, "ann");
  const std::string newest = json(ask("GET", "/api/v1/audit", cookie))["events"][0]["who"];
  EXPECT_THAT(newest, ::testing::MatchesRegex(R"(\(unknown user [0-9a-f]{8}\))"));
}

TEST_F(ApiLogin, SilencesAreForEditorsAndAudited) {
  const std::string target = "/api/ui/v1/silences";
  const std::string body =
      R"({"matchers":["agent=web-1"],"startsAt":"2099-12-01T00:00:00Z","endsAt":"2100-01-01T00:00:00Z","reason":"x"})";
  const std::string viewer = cookie_of(log_in("vic", kPassword));
  EXPECT_EQ(status(ask("POST", target, viewer + csrf_of(viewer), body)), 403);
  const std::string admin = cookie_of(log_in("ann", kPassword));
  const std::string made = ask("POST", target, admin + csrf_of(admin), body);
  ASSERT_EQ(status(made), 200) << made;
  EXPECT_EQ(json(made)["author"], "ann");
  EXPECT_EQ(json(ask("GET", target, viewer))["silences"].size(), 1U);
  const auto event = json(ask("GET", "/api/ui/v1/audit", admin))["events"][0];
  EXPECT_EQ(event["event"], "silence.created");
  EXPECT_EQ(event["who"], "ann");
  EXPECT_EQ(event["object"], "silence " + json(made)["id"].get<std::string>());
}

TEST_F(ApiLogin, SilencesOfCommandsAreAuditedLikeThoseOfThePage) {
  const std::string admin = cookie_of(log_in("ann", kPassword));
  const auto newest = [&] { return json(ask("GET", "/api/ui/v1/audit", admin))["events"]; };
  auto store =
      notify::AlertStore::open(alerts_folder_.path() + "/alerts.db", notify::AlertStore::Open::kCreate, clock_);
  ASSERT_TRUE(store);
  notify::Silence silence;
  silence.matchers = *notify::parse_matcher_list("agent=web-1");
  silence.starts_ms = clock_.wall_ns() / kNanosPerMilli;
  silence.ends_ms = silence.starts_ms + 3'600'000;
  silence.author = "bob";
  silence.reason = "kernel";
  const auto made = (*store)->set_silence(silence, {"bob", "command of bob"});
  ASSERT_TRUE(made) << made.error().message();
  // By the page, before it has looked at the file again.
  const std::string expired = ask("POST", "/api/ui/v1/silences/expire?id=" + made->id, admin + csrf_of(admin));
  ASSERT_EQ(status(expired), 200) << expired;
  const auto events = newest();
  ASSERT_GE(events.size(), 2U);
  EXPECT_EQ(events[1]["event"], "silence.created") << events;
  EXPECT_EQ(events[1]["who"], "bob");
  EXPECT_EQ(events[1]["by"], "command of bob");
  EXPECT_EQ(events[1]["after"]["reason"], "kernel");
  EXPECT_FALSE(events[1].contains("before"));
  EXPECT_EQ(events[0]["event"], "silence.expired");
  EXPECT_EQ(events[0]["by"], "session");
  EXPECT_EQ(events[0]["role"], "admin");
  EXPECT_EQ(events[0]["before"]["state"], "active");
  EXPECT_EQ(events[0]["after"]["state"], "expired");
  EXPECT_FALSE(std::string(events[0]["address"]).empty());
  // By itself, and once.
  ASSERT_TRUE((*store)->set_silence(silence, {"bob", "command of bob"}));
  const int64_t end = clock_.mono_ns() + 10 * kNanosPerSecond;
  while (newest()[0]["event"] != "silence.created" && clock_.mono_ns() < end) loop_.run_once(50 * kNanosPerMilli);
  EXPECT_EQ(newest()[0]["event"], "silence.created");
  size_t again = 0;
  ASSERT_TRUE((*store)->audit_silence_changes([&](const auto&) { ++again; }));
  EXPECT_EQ(again, 0U);
}

TEST_F(ApiTest, APageWithoutUsersHasNoLogin) {
  EXPECT_EQ(status(ask("POST", "/api/v1/login", "", R"({"user":"ann","password":"x"})")), 403);
  const auto session = json(ask("GET", "/api/v1/session"));
  EXPECT_EQ(session["by"], "open");
  EXPECT_EQ(session["role"], "viewer");
  EXPECT_FALSE(session["logins"]);
}

}  // namespace
}  // namespace monitor::analysis::web

#include "ui/web/change_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "base/testing/fake_clock.h"

namespace monitor::analysis::web {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kToken = "0123456789abcdef";

Request from(const std::string& address) {
  return {.method = "PUT",
          .path = "/api/v1/config/document",
          .host = "localhost",
          .address = address + ":4711",
          .address_group = address};
}

class ChangeGuardTest : public ::testing::Test {
 protected:
  // What a request with this token gets.
  unsigned ask(const std::string& address, const std::string& token) {
    const Request request = from(address);
    const auto limited = token.empty() ? std::nullopt : guard_.limited(request, address);
    retry_after_s_ = limited ? limited->retry_after_s : 0;
    if (limited) return limited->status;
    if (token == kToken) return 200;
    guard_.rejected(request, address, "a missing token", !token.empty());
    return 401;
  }

  FakeClock clock_;
  telemetry::Registry registry_;
  ChangeGuard guard_{clock_, registry_};
  int retry_after_s_ = 0;
};

TEST_F(ChangeGuardTest, LimitsWrongTokensPerAddress) {
  for (int i = 0; i < ChangeGuard::kBurst; ++i) EXPECT_EQ(ask("192.0.2.1", "wrong"), 401U);
  EXPECT_EQ(ask("192.0.2.1", "wrong"), 429U);
  EXPECT_EQ(retry_after_s_, 6);
  EXPECT_EQ(ask("192.0.2.1", kToken), 429U) << "a guesser does not learn which one is right";
  EXPECT_EQ(ask("192.0.2.2", kToken), 200U);
  clock_.advance(ChangeGuard::kOneEvery);
  EXPECT_EQ(ask("192.0.2.1", kToken), 200U);
}

TEST_F(ChangeGuardTest, DoesNotCountMissingTokens) {
  for (int i = 0; i < 3 * ChangeGuard::kBurst; ++i) EXPECT_EQ(ask("192.0.2.1", ""), 401U);
  EXPECT_EQ(ask("192.0.2.1", kToken), 200U);
}

TEST_F(ChangeGuardTest, LogsTheFirstRejectionAndACountOfTheRest) {
  // Forgets the lines of earlier tests, which count for the logger's rate limit.
  log_configure(LogLevel::kInfo, LogFormat::kText);
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 500; ++i) ask("192.0.2.1", "secret-guess");
  guard_.tick();
  clock_.advance(ChangeGuard::kSummaryEvery);
  guard_.tick();
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("change refused address=192.0.2.1:4711"));
  EXPECT_THAT(log, HasSubstr("changes refused address=192.0.2.1 count=499 seconds=10"));
  EXPECT_THAT(log, Not(HasSubstr("secret-guess")));
}

TEST_F(ChangeGuardTest, BoundsTheNumberOfAddresses) {
  for (size_t i = 0; i < ChangeGuard::kMostAddresses + 100; ++i) {
    clock_.advance(1);
    ask(std::to_string(i), "wrong");
  }
  EXPECT_EQ(guard_.addresses(), ChangeGuard::kMostAddresses);
}

}  // namespace
}  // namespace monitor::analysis::web

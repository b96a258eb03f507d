// ChangeGuard: limits guesses of tokens, and logs rejected requests.
//
// Wrong tokens are limited for each address: kBurst at once, then one every kOneEvery. Beyond that, every token from
// the address gets 429 without a look at it, since accepting the right one would tell a guesser that it is right. Other
// addresses are not affected, nor are requests without a token.
//
// Every rejection is logged with its address: the first one at once, those within kSummaryEvery after it as one line
// with their count. Tokens are never logged.
//
// On the loop's thread. The clock must outlive the object.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/attempt_limit.h"
#include "base/clock.h"
#include "telemetry/registry.h"
#include "ui/web/http.h"

namespace monitor::analysis::web {

class ChangeGuard {
 public:
  static constexpr int kBurst = 10;
  static constexpr int64_t kOneEvery = 6 * kNanosPerSecond;
  static constexpr AttemptRate kGuesses = {kBurst, kOneEvery};
  static constexpr int64_t kSummaryEvery = 10 * kNanosPerSecond;
  static constexpr size_t kMostAddresses = 4096;

  ChangeGuard(const Clock& clock, telemetry::Registry& registry);

  // The reply to a token from `group` (the client's address) that must not be looked at; nullopt: look at it.
  std::optional<Reply> limited(const Request& request, const std::string& group);
  // Notes that the request was rejected. `guessed`: for a wrong token.
  void rejected(const Request& request, const std::string& group, const std::string& reason, bool guessed = false);
  // Writes the summary lines that are due. Call it about once a second.
  void tick();

  size_t addresses() const { return addresses_.size(); }

 private:
  struct Address {
    AttemptAllowance guesses;  // wrong tokens that are still allowed
    int64_t summary_ns = 0;    // when the next summary is due; 0: none
    uint64_t unlogged = 0;     // rejections since the last line
    std::string last_reason;
  };

  Address& address_of(const std::string& group, int64_t now_ns);
  void forget_idle(int64_t now_ns);
  void note(const Request& request, Address& address, const std::string& reason, int64_t now_ns);

  const Clock& clock_;
  telemetry::Counter& refused_;
  telemetry::Counter& limited_;
  std::map<std::string, Address> addresses_;
};

}  // namespace monitor::analysis::web

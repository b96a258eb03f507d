// ChangeGuard: who may change the configuration through the page, and the log of who tried.
//
// Wrong tokens are limited for each address (Request::address_group): kBurst at once, then one every kOneEvery. While
// an address has none left, a change from it is refused with 429 unseen, a right token too, since an answer would tell
// a guesser which one is right. Other addresses are not affected.
//
// Every refused change is logged with its address: the first one at once, those that follow within kSummaryEvery as one
// line with their count. Tokens are never logged.
//
// On the loop's thread. The clock must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "telemetry/registry.h"
#include "ui/web/http.h"

namespace monitor::analysis::web {

class ChangeGuard {
 public:
  static constexpr int kBurst = 10;
  static constexpr int64_t kOneEvery = 6 * kNanosPerSecond;
  static constexpr int64_t kSummaryEvery = 10 * kNanosPerSecond;
  static constexpr size_t kMostAddresses = 4096;

  ChangeGuard(const Clock& clock, telemetry::Registry& registry);

  // The reply that refuses the change; nothing: it may be made.
  std::optional<Reply> refusal(const Request& request, const Access& access);
  // Logs what was counted, when its time has come. To be called about once a second.
  void tick();

  size_t addresses() const { return addresses_.size(); }

 private:
  struct Address {
    double left = kBurst;    // wrong tokens
    int64_t filled_ns = 0;   // when `left` was right
    int64_t summary_ns = 0;  // when the next line is due; 0: nothing was logged lately
    uint64_t unlogged = 0;   // refusals since the last line
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

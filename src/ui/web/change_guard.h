// ChangeGuard: decides who may change the configuration through the page, and logs rejected attempts.
//
// Wrong tokens are limited for each address (Request::address_group): kBurst at once, then one every kOneEvery. Beyond
// that, every change from the address gets 429 and its token is not checked, because accepting the right token would
// show a guesser that it is right. Other addresses are not affected.
//
// Every rejected change is logged with its address: the first one at once, those within kSummaryEvery after it as one
// line with their count. Tokens are never logged.
//
// On the loop's thread. The clock must outlive the object.
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

  // Returns the reply that rejects the change; nullopt if the change is allowed.
  std::optional<Reply> refusal(const Request& request, const Access& access);
  // Writes the summary lines that are due. Call about once a second.
  void tick();

  size_t addresses() const { return addresses_.size(); }

 private:
  struct Address {
    double left = kBurst;    // wrong tokens that are still allowed
    int64_t filled_ns = 0;   // when `left` was computed
    int64_t summary_ns = 0;  // when the next summary is due; 0: none
    uint64_t unlogged = 0;   // rejections since the last line
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

#include "ui/web/change_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace monitor::analysis::web {

ChangeGuard::ChangeGuard(const Clock& clock, telemetry::Registry& registry)
    : clock_(clock),
      refused_(registry.counter("monitor_web_changes_refused_total",
                                "Requests that were refused for their origin, their token or their role.")),
      limited_(
          registry.counter("monitor_web_changes_limited_total",
                           "Requests whose token was not looked at: their address had sent too many wrong ones.")) {}

ChangeGuard::Address& ChangeGuard::address_of(const std::string& group, int64_t now_ns) {
  if (!addresses_.contains(group) && addresses_.size() >= kMostAddresses) forget_idle(now_ns);
  Address& address = addresses_.try_emplace(group, Address{.guesses = {kGuesses, now_ns}}).first->second;
  address.guesses.refill(kGuesses, now_ns);
  return address;
}

// Removes addresses whose budget is full again; if there is none, the address that was seen longest ago.
void ChangeGuard::forget_idle(int64_t now_ns) {
  std::erase_if(addresses_, [now_ns](const auto& entry) {
    return entry.second.unlogged == 0 && elapsed_ns(entry.second.guesses.seen_ns(), now_ns) >= kGuesses.full_ns();
  });
  if (addresses_.size() < kMostAddresses) return;
  addresses_.erase(
      std::ranges::min_element(addresses_, {}, [](const auto& entry) { return entry.second.guesses.seen_ns(); }));
}

std::optional<Reply> ChangeGuard::limited(const Request& request, const std::string& group) {
  const int64_t now = clock_.mono_ns();
  const auto known = addresses_.find(group);
  if (known == addresses_.end()) return std::nullopt;
  Address& address = known->second;
  const int64_t wait = address.guesses.wait_ns(kGuesses, now);
  if (wait == 0) return std::nullopt;
  limited_.add();
  Reply reply = error_reply(429, "too many wrong tokens came from this address; try again later");
  reply.retry_after_s = retry_after_s(wait);
  note(request, address, "too many wrong tokens", now);
  return reply;
}

void ChangeGuard::rejected(const Request& request, const std::string& group, const std::string& reason, bool guessed) {
  const int64_t now = clock_.mono_ns();
  refused_.add();
  Address& address = address_of(group, now);
  if (guessed) address.guesses.charge(kGuesses, now);
  note(request, address, guessed ? "wrong token" : reason, now);
}

void ChangeGuard::note(const Request& request, Address& address, const std::string& reason, int64_t now_ns) {
  address.last_reason = reason;
  if (address.summary_ns != 0) {
    ++address.unlogged;
    return;
  }
  address.summary_ns = now_ns + kSummaryEvery;
  log_warning(request.method == "GET" || request.method == "HEAD" ? "request refused" : "change refused",
              {{"address", request.address},
               {"forwarded_for", request.forwarded_for},
               {"origin", request.origin},
               {"method", request.method},
               {"path", request.path},
               {"reason", reason}});
}

void ChangeGuard::tick() {
  const int64_t now = clock_.mono_ns();
  for (auto& [group, address] : addresses_) {
    if (address.summary_ns == 0 || now < address.summary_ns) continue;
    const uint64_t count = std::exchange(address.unlogged, 0);
    address.summary_ns = count == 0 ? 0 : now + kSummaryEvery;
    if (count == 0) continue;
    log_warning("changes refused", {{"address", group},
                                    {"count", count},
                                    {"seconds", kSummaryEvery / kNanosPerSecond},
                                    {"last_reason", address.last_reason}});
  }
}

}  // namespace monitor::analysis::web

// Limits on how often somebody may try something: guess a password, use a token, ask for a certificate. Everybody may
// try `burst` times at once, then once every `one_every_ns` (a token bucket).
//
// AttemptAllowance is what one of them has left. AttemptLimit has an allowance for each key, such as an address or a
// user name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"

namespace monitor {

struct AttemptRate {
  int burst = 30;
  int64_t one_every_ns = 2 * kNanosPerSecond;

  // How long an allowance without attempts takes to become full.
  constexpr int64_t full_ns() const { return burst * one_every_ns; }
};

// The wait in whole seconds, rounded up, as for the header Retry-After.
constexpr int retry_after_s(int64_t wait_ns) {
  return static_cast<int>((wait_ns + kNanosPerSecond - 1) / kNanosPerSecond);
}

// Full at first. Every call takes the same rate, and the monotonic time. On one thread.
class AttemptAllowance {
 public:
  AttemptAllowance(const AttemptRate& rate, int64_t now_ns) : credit_ns_(rate.full_ns()), seen_ns_(now_ns) {}

  // Adds what has accrued since the last call. The next two functions do the same.
  void refill(const AttemptRate& rate, int64_t now_ns);
  // Returns 0 if an attempt is allowed, else the time until one is.
  int64_t wait_ns(const AttemptRate& rate, int64_t now_ns);
  // Counts an attempt. Never leaves less than nothing.
  void charge(const AttemptRate& rate, int64_t now_ns);
  // The attempt was legitimate and does not count.
  void give_back(const AttemptRate& rate);

  // A full allowance does not differ from a new one.
  bool is_full(const AttemptRate& rate, int64_t now_ns) const;
  // When it was refilled last.
  int64_t seen_ns() const { return seen_ns_; }

 private:
  int64_t credit_at(const AttemptRate& rate, int64_t now_ns) const;

  int64_t credit_ns_;  // an attempt costs one_every_ns
  int64_t seen_ns_;
};

// Holds a bounded number of keys. When all of them are in use, the others share one allowance: to forget an exhausted
// key would give it a new one. Thread-safe. The clock must outlive the object.
class AttemptLimit {
 public:
  static constexpr size_t kMostKeys = 4096;

  explicit AttemptLimit(const Clock& clock, const AttemptRate& rate = {}, size_t most_keys = kMostKeys)
      : clock_(clock), rate_(rate), most_keys_(most_keys) {}

  // Returns 0 if the key may try now, else the time until it may. Does not count an attempt.
  int64_t wait_ns(const std::string& key);
  // Counts an attempt that was made, allowed or not.
  void charge(const std::string& key);
  // Counts an attempt if one is allowed. Returns as wait_ns().
  int64_t take(const std::string& key);
  // An attempt that was counted was legitimate and does not count.
  void give_back(const std::string& key);
  size_t keys() const;

 private:
  AttemptAllowance& allowance_of(const std::string& key, int64_t now_ns);

  const Clock& clock_;
  const AttemptRate rate_;
  const size_t most_keys_;
  mutable std::mutex mutex_;  // guards allowances_
  std::map<std::string, AttemptAllowance> allowances_;
};

}  // namespace monitor

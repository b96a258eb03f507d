// AttemptLimiter: how often each of many peers may do something: `burst` times at once, then once every
// `one_every_ns`. Its memory is bounded: when it knows too many peers, those that it does not know share one allowance.
// Thread-safe. The clock must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"

namespace monitor::identity {

class AttemptLimiter {
 public:
  struct Limit {
    double burst = 30;
    int64_t one_every_ns = 2 * kNanosPerSecond;
    size_t most_peers = 4096;
  };

  AttemptLimiter(const Clock& clock, const Limit& limit) : clock_(clock), limit_(limit) {}

  // Whether the peer may try now. Takes nothing.
  bool allowed(const std::string& peer);
  // Takes one of the peer's attempts.
  void take(const std::string& peer);
  size_t peers() const;

 private:
  struct Peer {
    double left = 0;
    int64_t filled_ns = 0;  // when `left` was computed
  };

  Peer& peer_of(const std::string& name);
  void refill(Peer& peer, int64_t now_ns) const;

  const Clock& clock_;
  const Limit limit_;
  mutable std::mutex mutex_;  // guards peers_
  std::map<std::string, Peer> peers_;
};

}  // namespace monitor::identity

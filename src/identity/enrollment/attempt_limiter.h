// AttemptLimiter: limits how often each peer may try something: `burst` attempts at once, then one every
// `one_every_ns`. Its memory is bounded: while it tracks `most_peers` peers, all others share one allowance.
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

  // Returns whether the peer may try now. Does not count an attempt.
  bool allowed(const std::string& peer);
  // Counts one attempt of the peer.
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

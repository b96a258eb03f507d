#include "identity/enrollment/attempt_limiter.h"

#include <algorithm>

namespace monitor::identity {

bool AttemptLimiter::allowed(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  return peer_of(peer).left >= 1;
}

void AttemptLimiter::take(const std::string& peer) {
  const std::lock_guard lock(mutex_);
  Peer& found = peer_of(peer);
  found.left = std::max(0.0, found.left - 1);
}

size_t AttemptLimiter::peers() const {
  const std::lock_guard lock(mutex_);
  return peers_.size();
}

void AttemptLimiter::refill(Peer& peer, int64_t now_ns) const {
  const auto elapsed = static_cast<double>(now_ns - peer.filled_ns);
  peer.left = std::min(limit_.burst, peer.left + elapsed / static_cast<double>(limit_.one_every_ns));
  peer.filled_ns = now_ns;
}

AttemptLimiter::Peer& AttemptLimiter::peer_of(const std::string& name) {
  const int64_t now = clock_.mono_ns();
  auto found = peers_.find(name);
  if (found == peers_.end() && peers_.size() >= limit_.most_peers) {
    for (auto& [known, peer] : peers_) refill(peer, now);
    // A peer with its full allowance does not differ from an unknown one.
    std::erase_if(peers_, [this](const auto& one) { return one.second.left >= limit_.burst; });
    if (peers_.size() >= limit_.most_peers) found = peers_.try_emplace("", Peer{limit_.burst, now}).first;
  }
  if (found == peers_.end()) found = peers_.try_emplace(name, Peer{limit_.burst, now}).first;
  refill(found->second, now);
  return found->second;
}

}  // namespace monitor::identity

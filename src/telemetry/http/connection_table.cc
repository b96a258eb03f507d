#include "telemetry/http/connection_table.h"

#include <sys/resource.h>

#include <algorithm>
#include <utility>

namespace monitor::telemetry {

ConnectionLimits within_descriptors(ConnectionLimits limits, double share) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return limits;
  const auto most = static_cast<size_t>(static_cast<double>(files.rlim_cur) * share);
  if (limits.connections <= most) return limits;
  const double kept = static_cast<double>(limits.per_address) / static_cast<double>(limits.connections);
  limits.connections = std::max<size_t>(most, 4);
  limits.per_address = std::max<size_t>(static_cast<size_t>(static_cast<double>(limits.connections) * kept), 3);
  return limits;
}

ConnectionTable::Id ConnectionTable::add(int fd, PeerAddress peer, int64_t now_ns) {
  ++held_[peer.group].all;
  ++present_;
  entries_.emplace(++last_, Entry{.fd = fd, .peer = std::move(peer), .since_ns = now_ns});
  return last_;
}

void ConnectionTable::remove(Id id) {
  leave(id);
  entries_.erase(id);
}

void ConnectionTable::set_phase(Id id, HttpPhase phase, int64_t now_ns) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  if (!entry.leaving) {
    size_t& streams = held_[entry.peer.group].streams;
    if (entry.phase == HttpPhase::kStream) --streams;
    if (phase == HttpPhase::kStream) ++streams;
  }
  entry.phase = phase;
  entry.since_ns = now_ns;
}

void ConnectionTable::leave(Id id) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.leaving) return;
  const auto held = held_.find(found->second.peer.group);
  if (found->second.phase == HttpPhase::kStream) --held->second.streams;
  if (--held->second.all == 0) held_.erase(held);
  --present_;
  found->second.leaving = true;
}

size_t ConnectionTable::streams_of(const std::string& group) const {
  const auto found = held_.find(group);
  return found == held_.end() ? 0 : found->second.streams;
}

ConnectionTable::Room ConnectionTable::room_for(const std::string& group) const {
  const auto found = held_.find(group);
  if (found != held_.end() && found->second.all >= limits_.per_address) return Room::kAddressFull;
  return present_ >= limits_.connections ? Room::kFull : Room::kYes;
}

bool ConnectionTable::may_go(const Entry& entry, bool in_reply, int64_t now_ns) const {
  if (!in_reply) return unfinished(entry);
  return !entry.leaving && entry.phase == HttpPhase::kReply && elapsed_ns(entry.since_ns, now_ns) >= kReplyGrace;
}

ConnectionTable::Id ConnectionTable::victim(Room why, const std::string& group, int64_t now_ns) const {
  for (const bool in_reply : {false, true}) {
    std::unordered_map<std::string, size_t> count;
    const std::string* most = why == Room::kAddressFull ? &group : nullptr;
    if (most == nullptr) {
      for (const auto& [id, entry] : entries_) {
        if (!may_go(entry, in_reply, now_ns)) continue;
        const size_t held = ++count[entry.peer.group];
        if (most == nullptr || held > count[*most]) most = &entry.peer.group;
      }
    }
    if (most == nullptr) continue;
    Id oldest = kNone;
    for (const auto& [id, entry] : entries_) {
      if (entry.peer.group != *most || !may_go(entry, in_reply, now_ns)) continue;
      // At equal times, the lower number was accepted first.
      const auto age = [this](Id one) { return std::pair(entries_.at(one).since_ns, one); };
      if (oldest == kNone || age(id) < age(oldest)) oldest = id;
    }
    if (oldest != kNone) return oldest;
  }
  return kNone;
}

}  // namespace monitor::telemetry

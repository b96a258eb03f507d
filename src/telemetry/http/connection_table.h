// ConnectionTable: the connections of an HTTP server, and which of them makes way when there is no room for one more.
//
// Room is kept in total and for each address (PeerAddress::group). Where either is used up, the connection that makes
// way is the one that has waited longest without a complete request, of the address that holds most of those; then one
// whose client does not take its reply. A request that is being answered and a stream of events never make way. So a
// client that sends half requests, or reads nothing, only costs connections of its own kind.
//
// Does no I/O. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "telemetry/http/peer_address.h"

namespace monitor::telemetry {

enum class HttpPhase : uint8_t {
  kHead,    // no complete request head: new, half sent, or idle between two requests
  kBody,    // the head is there, its body is not
  kBusy,    // the request is being answered
  kReply,   // the reply is on its way to the client
  kStream,  // an endless reply
};

struct ConnectionLimits {
  size_t connections = 64;
  size_t per_address = 64;
  int64_t head_ns = 5 * kNanosPerSecond;       // from accepting it to a complete head
  int64_t idle_ns = 10 * kNanosPerSecond;      // between two requests, before the next head's time begins
  int64_t lifetime_ns = 60 * kNanosPerSecond;  // of a connection, whatever happens on it; streams are spared
};

// With at most `share` of the descriptors that the process may have, so that a flood of connections leaves enough to
// the rest of it.
ConnectionLimits within_descriptors(ConnectionLimits limits, double share);

class ConnectionTable {
 public:
  using Id = uint64_t;
  static constexpr Id kNone = 0;
  // A reply that has not been taken for so long may make way.
  static constexpr int64_t kReplyGrace = 250 * kNanosPerMilli;

  explicit ConnectionTable(const ConnectionLimits& limits) : limits_(limits) {}

  Id add(int fd, PeerAddress peer, int64_t now_ns);
  void remove(Id id);
  void set_phase(Id id, HttpPhase phase, int64_t now_ns);
  // It is being closed: it no longer takes room.
  void leave(Id id);

  enum class Room { kYes, kAddressFull, kFull };
  // Whether one more connection of the address fits.
  Room room_for(const std::string& group) const;
  // The connection to close so that one more of `group` fits; kNone: none may be closed.
  Id victim(Room why, const std::string& group, int64_t now_ns) const;

  int fd_of(Id id) const { return entries_.at(id).fd; }
  const PeerAddress& peer_of(Id id) const { return entries_.at(id).peer; }
  bool contains(Id id) const { return entries_.contains(id); }
  size_t size() const { return present_; }
  size_t streams_of(const std::string& group) const;

 private:
  struct Entry {
    int fd = -1;
    PeerAddress peer;
    HttpPhase phase = HttpPhase::kHead;
    int64_t since_ns = 0;  // in this phase
    bool leaving = false;
  };
  struct Held {
    size_t all = 0;
    size_t streams = 0;
  };

  static bool unfinished(const Entry& entry) {
    return !entry.leaving && (entry.phase == HttpPhase::kHead || entry.phase == HttpPhase::kBody);
  }
  bool may_go(const Entry& entry, bool in_reply, int64_t now_ns) const;

  const ConnectionLimits limits_;
  std::unordered_map<Id, Entry> entries_;
  std::unordered_map<std::string, Held> held_;  // by PeerAddress::group
  size_t present_ = 0;                          // entries that are not leaving
  Id last_ = kNone;
};

}  // namespace monitor::telemetry

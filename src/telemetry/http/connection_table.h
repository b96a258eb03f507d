// ConnectionTable: the connections of an HTTP server. It decides which one to close if there is no room for another.
//
// Room is limited in total and by address (PeerAddress::group). At either limit, the table selects the address with the
// most connections that wait for a complete request, and evicts the one that has waited longest. If there is none, it
// evicts one whose client does not read its reply. Requests being answered and event streams are never evicted. So a
// client that sends partial requests or reads nothing only displaces connections of its own kind.
//
// No I/O. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "telemetry/http/peer_address.h"

namespace monitor::telemetry {

enum class HttpPhase : uint8_t {
  kHead,    // no complete request head: new, partly sent, or idle between two requests
  kBody,    // the head is complete, the body is not
  kBusy,    // the request is being answered
  kReply,   // the reply is being sent
  kStream,  // an endless reply
};

struct ConnectionLimits {
  size_t connections = 64;
  size_t per_address = 64;
  int64_t head_ns = 5 * kNanosPerSecond;       // from accept to a complete head
  int64_t idle_ns = 10 * kNanosPerSecond;      // between two requests, before head_ns starts
  int64_t lifetime_ns = 60 * kNanosPerSecond;  // of any connection except a stream
};

// Caps the limits at `share` of the process's descriptors, so that a flood of connections leaves enough for the rest of
// the process.
ConnectionLimits within_descriptors(ConnectionLimits limits, double share);

class ConnectionTable {
 public:
  using Id = uint64_t;
  static constexpr Id kNone = 0;
  // After this time, a reply that the client does not read may be evicted.
  static constexpr int64_t kReplyGrace = 250 * kNanosPerMilli;

  explicit ConnectionTable(const ConnectionLimits& limits) : limits_(limits) {}

  Id add(int fd, PeerAddress peer, int64_t now_ns);
  void remove(Id id);
  void set_phase(Id id, HttpPhase phase, int64_t now_ns);
  // The connection is closing, and no longer counts.
  void leave(Id id);

  enum class Room { kYes, kAddressFull, kFull };
  // Whether another connection of the address fits; if not, which limit is reached.
  Room room_for(const std::string& group) const;
  // The connection to close to make room for `group`; kNone if none may be closed.
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
    int64_t since_ns = 0;  // start of the current phase
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
  size_t present_ = 0;                          // entries that are not closing
  Id last_ = kNone;
};

}  // namespace monitor::telemetry

// ServerWatch: whether any server writes the log, judged by the heartbeats that servers store in it. It distinguishes a
// dead server from dead agents, which records alone do not.
//
// A clock that differs from the log's must not make a server look dead. Therefore only heartbeats count that arrive, or
// fail to arrive, while somebody is looking, and the state is unknown for the first kAwayAfter. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "metriclog/browser.h"

namespace monitor::analysis {

struct Servers {
  enum class State {
    kUnknown,  // the log has no heartbeats (an older server writes it), or was not watched for long enough
    kWriting,
    kStopped,  // every server has announced its end
    kAway,     // no heartbeat arrived for kAwayAfter
  };
  State state = State::kUnknown;
  int64_t last_ns = 0;  // the last heartbeat, by the log's time; 0: none

  bool gone() const { return state == State::kStopped || state == State::kAway; }
};
// Returns "unknown", "writing", "stopped" or "away".
std::string_view to_string(Servers::State state);

class ServerWatch {
 public:
  static constexpr int64_t kAwayAfter = 3 * metriclog::Heartbeat::kEvery;
  // After a longer pause between two looks, it is unknown whether heartbeats have arrived.
  static constexpr int64_t kLooksEvery = metriclog::Heartbeat::kEvery;

  // The heartbeats in the log, as read at `mono_ns`.
  void take(const std::vector<metriclog::Heartbeat>& beats, int64_t mono_ns);
  // The log could not be read, so earlier observations no longer count.
  void forget() { *this = ServerWatch(); }
  Servers judge(int64_t mono_ns) const;

 private:
  std::map<std::string, uint64_t> counts_;  // by writer: its number of heartbeats
  bool all_ended_ = false;
  bool seen_ = false;  // a heartbeat has arrived while it was watched
  int64_t last_ns_ = 0;
  int64_t looked_ns_ = 0;  // monotonic time of the last look; 0: none
  int64_t since_ns_ = 0;   // monotonic time of the last heartbeat that arrived, or of the first look
};

// Why no agent's data arrives, for people. `newest_ns` is the log's time of the newest record. Empty if that record is
// recent, or there is none.
std::string silence_of(const Servers& servers, int64_t newest_ns, int64_t now_ns);

}  // namespace monitor::analysis

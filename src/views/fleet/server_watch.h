// ServerWatch: whether any server writes the log, judged by the heartbeats that servers leave in it. It tells a dead
// server from dead agents, which a reader of records alone cannot.
//
// A clock that differs from the log's must not make a server look dead: only heartbeats that come, or do not come,
// while somebody looks count. So nothing is said for the first kAwayAfter. Not thread-safe.
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
    kUnknown,  // the log has no heartbeats (an older server writes it), or it was not watched for long enough
    kWriting,
    kStopped,  // every server said that it stopped
    kAway,     // no heartbeat came for kAwayAfter
  };
  State state = State::kUnknown;
  int64_t last_ns = 0;  // the last heartbeat, by the log's time; 0: there is none

  bool gone() const { return state == State::kStopped || state == State::kAway; }
};
// "unknown", "writing", "stopped", "away".
std::string_view to_string(Servers::State state);

class ServerWatch {
 public:
  static constexpr int64_t kAwayAfter = 3 * metriclog::Heartbeat::kEvery;
  // Somebody who looks less often has not seen whether heartbeats came.
  static constexpr int64_t kLooksEvery = metriclog::Heartbeat::kEvery;

  // What the log holds, as looked at `mono_ns`.
  void take(const std::vector<metriclog::Heartbeat>& beats, int64_t mono_ns);
  // The log could not be asked: what was seen before says nothing any more.
  void forget() { *this = ServerWatch(); }
  Servers judge(int64_t mono_ns) const;

 private:
  std::map<std::string, uint64_t> counts_;  // by writer
  bool all_ended_ = false;
  bool seen_ = false;  // a heartbeat came while it was watched
  int64_t last_ns_ = 0;
  int64_t looked_ns_ = 0;  // monotonic: the last look, 0: none
  int64_t since_ns_ = 0;   // monotonic: the last heartbeat that came, or the first look
};

// For people, of a fleet of which the newest record is `newest_ns` old by the log's time: why no agent is heard. Empty
// when the newest record is recent, or there never was one.
std::string silence_of(const Servers& servers, int64_t newest_ns, int64_t now_ns);

}  // namespace monitor::analysis

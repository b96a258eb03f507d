// Heartbeats: what a writer of the log leaves in it every kEvery, whether or not anything is written, and once more
// when it stops. Readers tell by them a server that is away from agents that are. A writer that cannot write leaves
// none.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace monitor::metriclog {

struct Heartbeat {
  static constexpr int64_t kEvery = 5 * kNanosPerSecond;

  std::string writer = {};   // random, new with every start of a writer
  std::string program = {};  // for people
  std::string host = {};
  uint64_t count = 0;   // rises with each of this writer
  int64_t time_ns = 0;  // when the log took it (wall clock of the log)
  bool ended = false;   // the writer was stopped; none follows
};

// Of a writer that starts: none was left yet. Thread-safe.
Heartbeat new_heartbeat(const std::string& program, const std::string& host);

}  // namespace monitor::metriclog

// Heartbeat: a record that a log's writer stores every kEvery, even without batches, and once more when it stops. With
// it, readers distinguish an absent server from absent agents. A writer that cannot write stores no heartbeat.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace monitor::metriclog {

struct Heartbeat {
  static constexpr int64_t kEvery = 5 * kNanosPerSecond;

  std::string writer = {};   // random; a new one for every start of a writer
  std::string program = {};  // for messages
  std::string host = {};
  uint64_t count = 0;   // number of this writer's heartbeats
  int64_t time_ns = 0;  // when the log stored it (wall clock of the log)
  bool ended = false;   // the writer has stopped, and no further heartbeat follows
};

// The first heartbeat of a new writer. Thread-safe.
Heartbeat new_heartbeat(const std::string& program, const std::string& host);

}  // namespace monitor::metriclog

// ConflictWatch: detects two runs with the same agent id that both send after the other's Hello: a cloned host, or an
// id that was assigned twice. One object per stream, used on its loop. Table and metrics must outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "inputs/stream/ingest_metrics.h"
#include "inputs/stream/stream_table.h"

namespace monitor::server {

class ConflictWatch {
 public:
  ConflictWatch(const StreamTable& streams, IngestMetrics& metrics) : streams_(streams), metrics_(metrics) {}

  // Call when the stream has sent a batch. Returns the rival of which both agents must be notified now: once another
  // run has said Hello, and then every minute, so that both agents know how long the conflict lasts.
  std::shared_ptr<LiveStream> rival_of(LiveStream& stream, int64_t now_ns);
  // True if the agent may be notified now. Both sessions detect the conflict at about the same time.
  bool may_notify(int64_t now_ns);

 private:
  const StreamTable& streams_;
  IngestMetrics& metrics_;
  bool in_conflict_ = false;
  int64_t notified_ns_ = 0;
};

// The stream's host and address, for people.
std::string describe(const LiveStream& stream);

}  // namespace monitor::server

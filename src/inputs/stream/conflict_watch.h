// ConflictWatch: detects two runs of one agent id that both send after the other's Hello: a cloned host, or an id that
// was assigned twice. One for each stream, on its loop; table and metrics must outlive it.
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

  // The stream has sent a batch. The rival of which both agents must be notified now: when another run has said Hello,
  // and each minute from then on, so that both agents know for how long the conflict lasts.
  std::shared_ptr<LiveStream> rival_of(LiveStream& stream, int64_t now_ns);
  // Whether the agent may be notified now. Both sessions detect the conflict at about the same time.
  bool may_notify(int64_t now_ns);

 private:
  const StreamTable& streams_;
  IngestMetrics& metrics_;
  bool in_conflict_ = false;
  int64_t notified_ns_ = 0;
};

// For people: the stream's host and address.
std::string describe(const LiveStream& stream);

}  // namespace monitor::server

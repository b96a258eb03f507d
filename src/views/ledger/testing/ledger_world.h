// For tests of the ledger: batches as agents create them, and a log in memory.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/testing/fake_clock.h"
#include "metriclog/testing/deliveries.h"
#include "metriclog/testing/memory_log.h"
#include "metrics/encode.h"

namespace monitor::analysis {

inline std::string run_id(char name) { return std::string(metrics::kIncarnationBytes, name); }

// A batch of 2 ticks with 3 points each; all earlier batches are acknowledged.
inline metrics::Batch batch_of(char run, uint64_t sequence, int64_t appended_ns, const std::string& agent = "a") {
  metrics::Batch b;
  b.agent_id = agent;
  b.hostname = "host";
  b.incarnation = run_id(run);
  b.sequence = sequence;
  b.first_unacked = sequence;
  b.counters = {.ticks_due = 2 * sequence, .ticks_missed = 0, .points_made = 6 * sequence, .dropped = {}};
  b.appended_ns = appended_ns;
  b.send_every_ns = kNanosPerSecond;
  for (const char* name : {"m", "n", "o"}) b.series.push_back({.name = name, .labels = {}, .unit = "1"});
  for (int i = 0; i < 2; ++i) b.frames.push_back({appended_ns - 2 + i, 0, {{0, {}, {}}, {1, {}, {}}, {2, {}, {}}}});
  return b;
}

inline metrics::Drop drop_of(char run, uint64_t first, uint64_t last, const char* reason = "full") {
  metrics::Drop drop;
  drop.incarnation = run_id(run);
  drop.stage = "spool";
  drop.reason = reason;
  drop.batches = last - first + 1;
  drop.points = 6 * drop.batches;
  drop.first_sequence = first;
  drop.last_sequence = last;
  return drop;
}

class LedgerWorld {
 public:
  explicit LedgerWorld(int32_t partitions = 1) : log(clock, {.partitions = partitions}) {}

  void append(const metrics::Batch& batch) {
    const std::pair<std::string_view, std::string_view> header{"content-type", "application/x-protobuf"};
    log.writer().append({batch.agent_id, {&header, 1}, metrics::encode_batch(batch)}, ignore_, 1);
  }
  // A batch that was created just now.
  metrics::Batch fresh(char run, uint64_t sequence, const std::string& agent = "a") const {
    return batch_of(run, sequence, clock.wall_ns(), agent);
  }

  FakeClock clock;
  metriclog::MemoryLog log;

 private:
  metriclog::IgnoredDeliveries ignore_;
};

}  // namespace monitor::analysis

// Consumer: reads a metric log and hands each batch once, decoded, to its views (view.h). What was seen is kept a
// partition, in snapshots that the log stores with the read position; so a restarted reader neither skips nor repeats a
// batch, beyond what was handed on after its last snapshot. snapshot_state.h has their form.
//
// Not thread-safe: one thread. The reader, the views and the registry must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "consume/dedupe.h"
#include "consume/snapshot_state.h"
#include "consume/view.h"
#include "metriclog/log.h"
#include "metrics/batch.h"
#include "metrics/decode.h"
#include "telemetry/registry.h"

namespace monitor::analysis {

// Behind its time: it waited at the agent, or on the way into the log.
bool is_late(const metrics::Envelope& envelope, int64_t frame_time_ns, int64_t log_time_ns);
// The part of that on the way: the batch was not sent when it was made.
bool has_waited(const metrics::Envelope& envelope, int64_t log_time_ns);

// By how much an agent's clock is ahead of the log's; 0 when it may be right: at most kMostAhead before it, and no more
// behind than a batch can have waited. Times of the batch are meant to be moved by it.
inline constexpr int64_t kMostAhead = int64_t{5} * 60 * kNanosPerSecond;
int64_t clock_error_ns(const metrics::Envelope& envelope, int64_t log_time_ns);

// A batch from the metric log's record, by the record's content type.
Result<metrics::Batch> decode_record(const metriclog::Record& record);

// Own metrics of a program that consumes.
struct ConsumeMetrics {
  explicit ConsumeMetrics(telemetry::Registry& registry);
  telemetry::Counter& batches;
  telemetry::Counter& duplicates;
  telemetry::Counter& conflicts;
  telemetry::Counter& skipped;
  telemetry::Counter& lost;
};

class Consumer {
 public:
  // Each batch goes to the views in this order.
  Consumer(metriclog::LogReader& reader, std::vector<View*> views, telemetry::Registry& registry);

  // One poll of the reader, and everything that it brought (or what is left of the poll before, when a view stopped
  // it). False: a view took less than it was given. Errors are final: the reader's; kAborted for a group whose
  // snapshots were made by other views; kDataLoss for a snapshot that a view does not understand, unless that view
  // begins anew.
  Result<bool> step(int64_t timeout_ns);

  // Stores how far the views have come, for every partition that moved since the last store.
  Status store();
  // Bytes that the next store() will write, about.
  size_t state_bytes() const;
  bool stored_all() const;

  size_t partitions() const { return partitions_.size(); }
  // Everything was handed on that the log held when the partitions were assigned. True while there are none.
  bool reached_end() const;

  const ConsumeMetrics& metrics() const { return metrics_; }

 private:
  struct Partition {
    Dedupe dedupe;
    int64_t next_offset = -1;  // -1: no record seen yet
    // What each view took of the record at next_offset; empty: nobody took anything.
    std::vector<Taken> taken = {};
    bool moved = false;
    int64_t position = 0;      // the offset that comes next
    int64_t end_at_start = 0;  // the log's, when the partition was assigned
  };

  Status assign(const metriclog::ReaderEvent& event);
  Status restore(const metriclog::Snapshot& snapshot, const metriclog::Extent& extent, Partition& partition);
  Status check_kinds(int32_t partition, const SnapshotState& state) const;
  Status rebuild(View& view, const SnapshotState& state, const metriclog::Extent& extent, int32_t partition,
                 bool dedupe_understood);
  bool take(const metriclog::Record& record);
  bool take_batch(const metriclog::Record& record, const metrics::Batch& batch, Digest digest, Partition& partition);
  void take_conflict(const metriclog::Record& record, const metrics::Batch& batch, int64_t first_offset);
  void lose(const metriclog::ReaderEvent& event);
  void begin_anew(const metriclog::ReaderEvent& event);
  Result<bool> handle(metriclog::ReaderEvent& event);
  void end_trouble();
  static void move_to(Partition& partition, int64_t offset);

  Result<metrics::Batch> decode(const metriclog::Record& record);

  metriclog::LogReader& reader_;
  const std::vector<View*> views_;
  const bool needs_values_;
  ConsumeMetrics metrics_;
  metrics::EnvelopeDecoder envelopes_;
  std::map<int32_t, Partition> partitions_;
  std::vector<metriclog::ReaderEvent> events_;  // of the last poll
  size_t event_ = 0;                            // the first that is not done
  size_t record_ = 0;                           // of that event
  bool in_trouble_ = false;                     // told, and not yet told to be over
};

}  // namespace monitor::analysis

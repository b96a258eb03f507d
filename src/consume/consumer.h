// Consumer: reads a metric log and passes each batch to its views (view.h) once, decoded. For each partition, it stores
// the set of batches that it has seen in snapshots, together with the read position. So a restarted reader neither
// skips nor repeats a batch, except for batches passed on after its last snapshot. snapshot_state.h defines the form.
//
// Not thread-safe. The reader, the views and the registry must outlive it.
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
#include "payload/batch_decoder.h"
#include "telemetry/registry.h"

namespace monitor::analysis {

// True if the batch is behind its time: it has waited at the agent, or on the way to the log.
bool is_late(const metrics::Envelope& envelope, int64_t frame_time_ns, int64_t log_time_ns);
// True if it has waited on the way: the batch was not sent when it was created.
bool has_waited(const metrics::Envelope& envelope, int64_t log_time_ns);

// The error of an agent's clock: how far it is ahead of the log's (negative: behind). 0 if it may be right: at most
// kMostAhead ahead, and not further behind than a batch can have waited. The caller corrects the batch's times by it.
inline constexpr int64_t kMostAhead = int64_t{5} * 60 * kNanosPerSecond;
int64_t clock_error_ns(const metrics::Envelope& envelope, int64_t log_time_ns);

// Decodes the batch in a record of the metric log: payload v2 by its first byte, other forms by the content type.
Result<metrics::Batch> decode_record(const metriclog::Record& record);

// The metrics of a program that consumes the log.
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
  // Each batch is passed to the views in this order.
  Consumer(metriclog::LogReader& reader, std::vector<View*> views, telemetry::Registry& registry);

  // Polls the reader once and handles everything that arrived, or the rest of the previous poll if a view stopped it.
  // Returns false if a view took less than it was given. Every error is final. It comes from the reader, or is kAborted
  // (the group's snapshots belong to other views) or kDataLoss (a view cannot decode its snapshot and does not start
  // over).
  Result<bool> step(int64_t timeout_ns);

  // Stores the views' progress in every partition that has advanced since the last store.
  Status store();
  // Approximate size of the next store().
  size_t state_bytes() const;
  bool stored_all() const;

  size_t partitions() const { return partitions_.size(); }
  // True once everything that the log held when the partitions were assigned has been passed on. Also true without
  // partitions.
  bool reached_end() const;

  const ConsumeMetrics& metrics() const { return metrics_; }

 private:
  struct Partition {
    Dedupe dedupe;
    int64_t next_offset = -1;  // -1: no record seen yet
    // How much each view took of the record at next_offset; empty: nothing yet.
    std::vector<Taken> taken = {};
    bool moved = false;
    int64_t position = 0;      // the next offset
    int64_t end_at_start = 0;  // end of the log when the partition was assigned
  };

  Status assign(const metriclog::ReaderEvent& event);
  Status restore(const metriclog::Snapshot& snapshot, const metriclog::Extent& extent, Partition& partition);
  Status check_kinds(int32_t partition, const SnapshotState& state) const;
  Status rebuild(View& view, const SnapshotState& state, const metriclog::Extent& extent, int32_t partition,
                 bool dedupe_understood);
  bool take(const metriclog::Record& record);
  bool take_batch(const metriclog::Record& record, const metrics::Batch& batch, Digest digest, Partition& partition,
                  Dedupe::Run* run);
  void take_conflict(const metriclog::Record& record, const metrics::Batch& batch, int64_t first_offset);
  void lose(const metriclog::ReaderEvent& event);
  void begin_anew(const metriclog::ReaderEvent& event);
  Result<bool> handle(metriclog::ReaderEvent& event);
  void end_trouble();
  static void move_to(Partition& partition, int64_t offset);

  // Valid until the next call.
  Result<const metrics::Batch*> decode(const metriclog::Record& record);
  const metrics::Batch* keep(metrics::Batch batch);

  metriclog::LogReader& reader_;
  const std::vector<View*> views_;
  const bool needs_values_;
  ConsumeMetrics metrics_;
  metrics::EnvelopeDecoder envelopes_;
  metrics::BatchDecoder batches_;
  payload::EnvelopeDecoder envelopes_v2_;
  payload::BatchDecoder batches_v2_;
  metrics::Batch decoded_;  // not by batches_
  std::map<int32_t, Partition> partitions_;
  std::vector<metriclog::ReaderEvent> events_;  // of the last poll
  size_t event_ = 0;                            // index of the first event that is not completely handled
  size_t record_ = 0;                           // index within that event
  bool in_trouble_ = false;                     // reported, and not yet reported to be over
};

}  // namespace monitor::analysis

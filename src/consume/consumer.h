// Consumer: reads a metric log and hands on each batch once, decoded. What was seen is kept a partition, in snapshots
// that the log stores with the read position; so a restarted reader neither skips nor repeats a batch, beyond what was
// handed on after its last snapshot.
//
// Not thread-safe: one thread. The reader, the sink, the registry and what is built must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "consume/built_state.h"
#include "consume/dedupe.h"
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

class BatchSink {
 public:
  virtual ~BatchSink() = default;
  // Series carry the labels of the batch's resource. Frames from `first_frame` on are new. Returns how many of them
  // were taken; fewer than there are ends the step, and the rest comes again, in this run or after a restart. A
  // heartbeat has none.
  virtual size_t on_batch(const metriclog::Record& record, const metrics::Batch& batch, size_t first_frame) = 0;
  // Whether it looks at values and series. If not, a batch comes with its envelope, and frames with as many points as
  // they have, whose content means nothing: reading is much cheaper.
  virtual bool wants_values() const { return true; }
  virtual void on_skipped(const metriclog::Record& /*record*/, const Error& /*why*/) {}
  virtual void on_lost(int32_t /*partition*/, int64_t /*from*/, int64_t /*to*/) {}
  virtual void on_trouble(const std::string& /*text*/) {}
  // Once after one or more on_trouble(), before what comes next: the trouble is over, though nothing may have come
  // since.
  virtual void on_recovered() {}
  virtual void on_assigned(int32_t /*partition*/) {}
  virtual void on_revoked(int32_t /*partition*/) {}
};

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
  // `built` may be null: then only the position and what was seen are kept.
  Consumer(metriclog::LogReader& reader, BatchSink& sink, telemetry::Registry& registry, BuiltState* built = nullptr)
      : reader_(reader), sink_(sink), built_(built), metrics_(registry) {}

  // One poll of the reader, and everything that it brought (or what is left of the poll before, when the sink stopped
  // it). False: the sink took less than it was given. Errors are final: the reader's, kAborted for a group whose
  // snapshots were made by another kind of reader, kDataLoss for a snapshot that something is built on and that is not
  // understood.
  Result<bool> step(int64_t timeout_ns);

  // Stores how far the sink has come, for every partition that moved since the last store.
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
    int64_t next_offset = -1;   // -1: no record seen yet
    uint64_t frames_taken = 0;  // of the record at next_offset
    bool moved = false;
    int64_t position = 0;      // the offset that comes next
    int64_t end_at_start = 0;  // the log's, when the partition was assigned
  };

  Status assign(const metriclog::ReaderEvent& event);
  Status restore(const metriclog::Snapshot& snapshot, const metriclog::Extent& extent, Partition& partition);
  Status rebuild(const metriclog::Snapshot& snapshot, const metriclog::Extent& extent, bool dedupe_understood);
  bool take(const metriclog::Record& record);
  bool take_batch(const metriclog::Record& record, const metrics::Batch& batch, Digest digest, Partition& partition);
  void take_conflict(const metriclog::Record& record, const metrics::Batch& batch, int64_t first_offset);
  void lose(const metriclog::ReaderEvent& event);
  void begin_anew(const metriclog::ReaderEvent& event);
  Result<bool> handle(metriclog::ReaderEvent& event);
  void end_trouble();

  Result<metrics::Batch> decode(const metriclog::Record& record);

  metriclog::LogReader& reader_;
  BatchSink& sink_;
  BuiltState* const built_;
  ConsumeMetrics metrics_;
  metrics::EnvelopeDecoder envelopes_;
  std::map<int32_t, Partition> partitions_;
  std::vector<metriclog::ReaderEvent> events_;  // of the last poll
  size_t event_ = 0;                            // the first that is not done
  size_t record_ = 0;                           // of that event
  bool in_trouble_ = false;                     // told, and not yet told to be over
};

}  // namespace monitor::analysis

// Encodes ticks into the wire form of a MetricBatch, without an intermediate model: this is the agent's hot path.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "metrics/batch.h"
#include "metrics/series.h"

namespace monitor::metrics {

// Collects the frames of one batch. Reuse it for the next batch, to reuse its buffers.
// Not thread-safe; the table must outlive it.
class BatchEncoder {
 public:
  explicit BatchEncoder(const SeriesTable& table) : table_(table) {}

  // Appends a frame. Returns false, and appends nothing, if the batch could become larger than servers accept
  // (kMaxBatchBytes, BatchLimits). `continued`: the frame holds more points of the previous frame's tick.
  bool add(const Tick& tick, bool continued = false);
  // Appends a frame with the points from `first` on, as many as fit, and returns how many. This spreads a tick that is
  // too large for one batch over several. A frame that does not start with the tick's first point is `continued`.
  size_t add_part(const Tick& tick, size_t first);

  bool empty() const { return frames_ == 0; }
  size_t frames() const { return frames_; }
  // Frames that begin a tick.
  size_t ticks() const { return ticks_; }
  size_t points() const { return points_; }
  int64_t first_time_ns() const { return first_time_; }
  int64_t last_time_ns() const { return last_time_; }

  // Returns the wire form of the added frames, and empties the encoder.
  std::string finish(const Envelope& envelope);
  void clear();

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  // Bytes reserved for the envelope: names, counters, drop records.
  static constexpr size_t kEnvelopeReserve = size_t{64} * 1024;

  void index(SeriesId id);
  size_t take(const Tick& tick, size_t first);
  void give_back(size_t series, size_t bytes);
  void put_frame(const Tick& tick, size_t first, bool continued);

  const SeriesTable& table_;
  std::vector<uint32_t> index_;      // by SeriesId: index in this batch, or kNone
  std::vector<int64_t> last_value_;  // by SeriesId
  std::vector<SeriesId> used_;       // in the order of their indexes
  std::vector<SeriesId> previous_;   // series of the previous frame
  std::vector<SeriesId> current_;
  std::string series_bytes_;
  std::string frame_bytes_;
  std::string scratch_;
  std::string packed_;
  size_t frames_ = 0;
  size_t ticks_ = 0;
  size_t points_ = 0;
  int64_t first_time_ = 0;
  int64_t last_time_ = 0;
};

// Encode single parts of the envelope, for callers that store them between batches.
std::string encode_drop(const Drop& drop);
std::string encode_end(const IncarnationEnd& end);
std::string encode_elsewhere(const Elsewhere& elsewhere);

// Encodes a decoded batch, to the bytes that BatchEncoder would produce for the same data. For tests and tools.
std::string encode_batch(const Batch& batch);

}  // namespace monitor::metrics

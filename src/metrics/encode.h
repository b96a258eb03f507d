// From ticks to the wire form of a MetricBatch, without an intermediate model: this is the agent's hot path.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "metrics/batch.h"
#include "metrics/series.h"

namespace monitor::metrics {

// Collects the frames of one batch. Reused from batch to batch, so that its buffers are allocated once.
// Not thread-safe; the table must outlive it.
class BatchEncoder {
 public:
  explicit BatchEncoder(const SeriesTable& table) : table_(table) {}

  // Appends a frame. False, and nothing is appended, when the batch could grow over what a server takes by it
  // (kMaxBatchBytes, BatchLimits). `continued`: it goes on with the tick of the frame before.
  bool add(const Tick& tick, bool continued = false);
  // Appends a frame of the points from `first` on, as many as there is room for, and returns how many: a tick that is
  // too large for one batch is spread over several. A frame that does not begin with the first point is `continued`.
  size_t add_part(const Tick& tick, size_t first);

  bool empty() const { return frames_ == 0; }
  size_t frames() const { return frames_; }
  // Frames that begin a tick.
  size_t ticks() const { return ticks_; }
  size_t points() const { return points_; }
  int64_t first_time_ns() const { return first_time_; }
  int64_t last_time_ns() const { return last_time_; }

  // The wire form, with what has been added; the encoder is empty afterwards.
  std::string finish(const Envelope& envelope);
  void clear();

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  // Room that is left for the envelope: names, counters, drop records.
  static constexpr size_t kEnvelopeReserve = size_t{64} * 1024;

  void index(SeriesId id);
  size_t take(const Tick& tick, size_t first);
  void give_back(size_t series, size_t bytes);
  void put_frame(const Tick& tick, size_t first, bool continued);

  const SeriesTable& table_;
  std::vector<uint32_t> index_;      // by SeriesId: place in this batch, or kNone
  std::vector<int64_t> last_value_;  // by SeriesId
  std::vector<SeriesId> used_;       // in the order of their places
  std::vector<SeriesId> previous_;   // series of the frame before
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

// Parts of the envelope by themselves, for who keeps them between batches.
std::string encode_drop(const Drop& drop);
std::string encode_end(const IncarnationEnd& end);

// The wire form of a decoded batch: what BatchEncoder would have made of the same data. For tests and tools.
std::string encode_batch(const Batch& batch);

}  // namespace monitor::metrics

// Encodes ticks into the wire form of a MetricBatch, without an intermediate model: this is the agent's hot path.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "metrics/batch.h"
#include "metrics/series.h"

namespace monitor::metrics {

// Collects the frames of one batch, in one of the forms of the payload. Reuse it for the next batch, to reuse its
// buffers. Not thread-safe.
class BatchWriter {
 public:
  virtual ~BatchWriter() = default;

  // Appends a frame. Returns false, and appends nothing, if the batch could become larger than servers accept
  // (kMaxBatchBytes, BatchLimits). `continued`: the frame holds more points of the previous frame's tick.
  virtual bool add(const Tick& tick, bool continued = false) = 0;
  // Appends a frame with the points from `first` on, as many as fit, and returns how many. This spreads a tick that is
  // too large for one batch over several. A frame that does not start with the tick's first point is `continued`.
  virtual size_t add_part(const Tick& tick, size_t first) = 0;
  // Returns the bytes of the added frames, and empties the writer. Error: no batch can hold the envelope.
  virtual Result<std::string> close(const Envelope& envelope) = 0;
  virtual void clear() = 0;

  bool empty() const { return sums_.frames == 0; }
  size_t frames() const { return sums_.frames; }
  // Frames that begin a tick.
  size_t ticks() const { return sums_.ticks; }
  size_t points() const { return sums_.points; }
  int64_t first_time_ns() const { return sums_.first_time_ns; }
  int64_t last_time_ns() const { return sums_.last_time_ns; }

 protected:
  void count_frame(int64_t time_ns, bool continued, size_t points) {
    if (sums_.frames == 0) sums_.first_time_ns = time_ns;
    sums_.last_time_ns = time_ns;
    ++sums_.frames;
    sums_.ticks += continued ? 0 : 1;
    sums_.points += points;
  }
  void count_nothing() { sums_ = {}; }

 private:
  struct Sums {
    size_t frames = 0;
    size_t ticks = 0;
    size_t points = 0;
    int64_t first_time_ns = 0;
    int64_t last_time_ns = 0;
  };
  Sums sums_;
};

// Bytes that a writer reserves for the envelope: names, counters, drop records.
inline constexpr size_t kEnvelopeReserve = size_t{64} * 1024;
// The bytes of a series in the wire form of a MetricBatch.
size_t series_bytes(const Series& series);
// An upper bound for the bytes of a frame with so many points in that form: an index and a varint or double each.
size_t worst_frame_bytes(size_t points);
// The series of a MetricBatch in wire form, and nothing else.
std::string encode_series(const std::vector<Series>& all);

// Writes a MetricBatch (proto/monitor/v1/metrics.proto), which is payload v1. The table must outlive it.
class BatchEncoder final : public BatchWriter {
 public:
  explicit BatchEncoder(const SeriesTable& table) : table_(table) {}

  bool add(const Tick& tick, bool continued = false) override;
  size_t add_part(const Tick& tick, size_t first) override;
  Result<std::string> close(const Envelope& envelope) override { return finish(envelope); }
  void clear() override;

  // As close(), which cannot fail here.
  std::string finish(const Envelope& envelope);

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

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
};

// Encode single parts of the envelope, for callers that store them between batches.
std::string encode_drop(const Drop& drop);
std::string encode_end(const IncarnationEnd& end);
std::string encode_elsewhere(const Elsewhere& elsewhere);

// Encodes a decoded batch, to the bytes that BatchEncoder would produce for the same data. For tests and tools.
std::string encode_batch(const Batch& batch);

}  // namespace monitor::metrics

// Decodes the wire form of a MetricBatch: all of it, or only what a server needs to forward it.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metrics/batch.h"
#include "metrics/series_memory.h"

namespace monitor::metrics {

// Bounds of a batch. A batch beyond any of them is rejected as a whole; the error has the field, its value and the
// bound.
struct BatchLimits {
  size_t batch_bytes = kMaxBatchBytes;
  size_t points = 100'000;
  size_t series = 20'000;
  size_t frames = 10'000;
  size_t labels = 32;         // per series
  size_t name_bytes = 256;    // of a metric's name, a label's name, a unit
  size_t value_bytes = 1024;  // of a label's value, a resource label's value, a host name
};

// Decodes and checks every field: indexes in range, matching value counts, UTF-8 strings. Errors: kInvalidArgument;
// kResourceExhausted for a bound. Unknown fields are skipped, so that batches of newer agents can be read.
Result<Batch> decode_batch(std::string_view bytes, const BatchLimits& limits = {});

// The inverse of encode_drop(), encode_end() and encode_elsewhere().
Result<Drop> decode_drop(std::string_view bytes);
Result<IncarnationEnd> decode_end(std::string_view bytes);
Result<Elsewhere> decode_elsewhere(std::string_view bytes);

// A summary of a batch, without its points. Views point into the bytes.
struct BatchView {
  std::string_view agent_id;
  std::string_view hostname;
  std::string_view incarnation;
  uint64_t sequence = 0;
  uint64_t config_revision = 0;
  uint64_t first_unacked = 0;
  int64_t appended_ns = 0;
  int64_t first_time_ns = 0;  // of the first frame; 0: a heartbeat, which has no frames
  int64_t last_time_ns = 0;
  uint64_t ticks_due = 0;
  uint64_t ticks_missed = 0;
  size_t series = 0;
  size_t frames = 0;
  size_t points = 0;
  // Of BatchChecker: the same number is the same list of series, in the same checker; 0: not known.
  uint64_t list_id = 0;
};

// Checks the bytes in one pass, without building anything. What passes here decodes with decode_batch().
// It also rejects claims beyond their bounds (claims.h), which decode_batch() accepts because an old log may contain
// them.
Result<BatchView> check_batch(std::string_view bytes, const BatchLimits& limits = {});

// check_batch() for many batches: skips the checks of a list of series that it has seen recently. Not thread-safe.
class BatchChecker {
 public:
  explicit BatchChecker(const BatchLimits& limits) : limits_(limits) {}
  Result<BatchView> check(std::string_view bytes);

 private:
  BatchLimits limits_;
  SeriesMemory memory_;
  SeriesMemory::Types types_;  // kept for its memory
};

// Decodes the envelopes of many batches, for ledgers, which need no values. Frames have their times and the right
// number of points, but the points are empty. Series and resource labels are omitted. Checks what decode_batch()
// checks. Not thread-safe.
class EnvelopeDecoder {
 public:
  // Valid until the next call.
  Result<const Batch*> decode(std::string_view bytes);

 private:
  BatchLimits limits_;
  SeriesMemory memory_;
  SeriesMemory::Types types_;
  Batch batch_;
};

// Decodes many batches as decode_batch() does, and adds the labels of their resources to the series (carry_resource()).
// Agents send the same list of series with every batch, so the lists are kept, and most batches need only their values
// decoded. Bounded by the series of all lists. Not thread-safe.
class BatchDecoder {
 public:
  // Valid until the next call.
  Result<const Batch*> decode(std::string_view bytes);

 private:
  static constexpr size_t kMaxKnownSeries = 200'000;

  void keep(uint64_t list_id, const Labels& resource);

  BatchLimits limits_;
  SeriesMemory memory_;
  SeriesMemory::Types types_;
  // By the list's number and the resource.
  std::map<uint64_t, std::map<Labels, std::vector<Series>>> known_;
  size_t known_series_ = 0;
  // The batch has the series of this entry, and the entry has none, until the next call.
  std::vector<Series>* lent_ = nullptr;
  Batch batch_;  // keeps its memory for the next batch, as do the values
  std::vector<int64_t> last_values_;
};

}  // namespace monitor::metrics
